// Syncsources keeps the connectors, sources and tables of BIconnector on
// Bitrix24 portals as manifests declare them: validate checks manifests, plan
// shows what differs, apply changes it and reads it back.
//
// The result goes to standard output and nothing else does; logs, progress,
// warnings and errors go to standard error.
//
// Exit codes, the same for every output format:
//
//	0    done; a plan with changes as well
//	1    at least one object failed, or a guard refused the run, or the answer to
//	     its question was not yes, or the result could not be written
//	2    plan --detailed-exitcode: there are changes, and no failure
//	3    the manifests, the command line, the environment or the credentials
//	     are malformed; nothing was sent, of many portals to that one
//	4    the run was stopped: portal unreachable, credentials refused, blocked,
//	     time over, or another run holds the portal's lock
//	129  hung up (SIGHUP), unless SIGHUP was ignored at the start
//	130  interrupted (SIGINT)
//	143  terminated (SIGTERM)
//
// Where several apply, the first of 3, 129, 130, 143, 4, 1, 2, 0 is taken.
//
// Every flag has an environment variable: SYNCSOURCES_ and the flag's name in
// capitals, dashes as underscores. The command line wins. An empty variable
// counts as unset, except for the flags that guard a run or select what it is
// about: there it is an error. Flags that may be repeated take a
// comma-separated list.
package main
