// Package manifest reads the YAML files that declare the desired state of
// BIconnector sources.
//
// Load returns typed sources with the positions they stand at, and what is
// wrong with the files as findings (see Error) with the source line, a caret
// and advice. References to variables and files are checked for their form
// only; Resolver fetches what they stand for, later and only for the sources
// that need it.
//
// A settings value is a secret until the manifest says otherwise: it is a
// Value, which does not print itself, and no finding repeats one or shows a
// line that may hold one.
//
// # Rules
//
// What keeps a file from being read as YAML:
//
//	invalid-utf8       a byte that is no UTF-8
//	nul                a NUL character, written as such or as an escape
//	control-character  another character that YAML does not allow
//	syntax             anything else that is no YAML
//	empty-file         a file without a document that says anything
//	alias-cycle        an alias inside what it names
//	alias-document     an alias of an anchor in an earlier document
//	alias-bomb         aliases out of all proportion to the file
//
// What no manifest may hold, wherever it stands:
//
//	duplicate-key      a key twice in a mapping; overriding a merged key is none
//	key-type           a key that is a list or mapping; in settings, one that is null, a boolean or a fraction
//	merge-value        a merge key without a mapping
//	tag                a tag that is not allowed, or that the value does not bear out
//
// What the schema says, checked by package schema:
//
//	unknown-key        a key that the format does not have
//	missing-key        a key that has to be there
//	wrong-type         a value of another kind than allowed
//	wrong-value        another value than the only one allowed
//	wrong-form         a text that is not written as it has to be
//	out-of-range       a number too small or too large
//	empty              a text, mapping or key without content
//	not-allowed        a value that is excluded
//	nothing-declared   a source with nothing to keep
//	two-references     a settings value with both env and file
//	reserved-variable  a reference to a variable that holds our own credentials or flags
//
// What the schema cannot say:
//
//	plain-integer      an integer that is not in plain decimal form
//	portal-address     a portal whose host or port is none
//	undeclared-reveal  reveal names a setting that is not declared
//	duplicate-id       an id twice, in all files
//	duplicate-name     a name twice, in all files, the default names included
//
// What a reference can lack when it is resolved:
//
//	env-unset          the variable is not set
//	file-outside       the file is not below an allowed directory
//	reserved-file      the file holds our own credentials
//	file-unreadable    the file cannot be read, or is no regular file
//	env-empty, file-empty
//	env-too-large, file-too-large
//	env-nul, file-nul
//	env-invalid-utf8, file-invalid-utf8
package manifest
