// Package manifest reads the YAML files that declare the desired state of
// BIconnector's connectors, sources and tables.
//
// Load returns typed objects with their positions, and what is
// wrong with the files as findings (see Finding) with hints. References to
// variables, files and secrets are checked for their form only; Resolver
// fetches their texts later, and only for the objects that need it.
//
// A settings value is a secret until the manifest says otherwise: it is a
// Value, which does not print itself, and no finding repeats one. Findings show
// nodes, never lines, and a node only where its place is known to hold no
// secret: see scope.go.
//
// # Rules
//
// What keeps a file from being read as YAML:
//
//	invalid-utf8       a byte that is not UTF-8
//	nul                a NUL character, written as such or as an escape
//	control-character  another character that YAML does not allow
//	syntax             anything else that is not YAML
//	empty-file         a file without a document that says anything
//	alias-cycle        an alias inside what it names
//	alias-document     an alias of an anchor in an earlier document
//	alias-bomb         aliases that make the document far larger than the file
//	sandbox-state      a state of the sandbox instead of a manifest
//	portals-file       a portals file instead of a manifest
//
// What no manifest may contain, anywhere:
//
//	duplicate-key      a key twice in a mapping; overriding a merged key is not one
//	key-type           a key that is a list or mapping; in settings, one that is null, a boolean or a fraction
//	merge-value        a merge key without a mapping
//	tag                a tag that is not allowed, or does not fit the value
//
// What the schema says, checked by package schema:
//
//	unknown-key        a key that the format does not have
//	missing-key        a required key
//	wrong-type         a value of another kind than allowed
//	wrong-value        another value than the only one allowed
//	wrong-form         a text in another form than required
//	out-of-range       a number too small or too large
//	empty              a text, mapping or key without content
//	too-long           a text longer than the portal stores
//	not-allowed        a value that is excluded
//	placeholder        a text that another tool would have replaced
//	nothing-declared   a source with nothing to keep
//	two-references     a settings value with several of env, file, secret and literal
//	reserved-variable  a reference to a variable that is one of syncsources' own
//
// What the schema cannot say:
//
//	plain-integer      an integer that is not in plain decimal form
//	portal-address     a portal with an invalid host or port
//	undeclared-reveal  reveal names a setting that is not declared
//	duplicate-id       an id twice on one portal, in all files
//	duplicate-name     a name twice on one portal, in all files, the default names included
//	duplicate-identity  an object without an id that is found by the title of another one
//	duplicate-code     a setting of a connector twice; a column's name or code twice
//	replaced-file      a referenced file that the run would replace with its report or metrics
//	unknown-reference  a name of a connector or source that nobody declares
//
// Of a portals file besides:
//
//	second-document      a portals file is one document
//	several-credentials  ways to sign in or places of the token pair that exclude each other
//	missing-credentials  a portal that nobody can sign in to
//	env-file             a line of a file of variables that is not NAME=VALUE
//
// Of an id that Pin cannot write:
//
//	pin  the place takes no id, or not safely
//
// What a reference can lack when it is resolved:
//
//	env-unset          the variable is not set
//	logo-type          a logo's file that holds no picture
//	file-outside       the file is not below an allowed directory
//	reserved-file      the file holds syncsources' own credentials
//	file-unreadable    the file cannot be read, or is not a regular file
//	secret-helper      there is no secret helper, or its answer is not usable
//	secret-missing     the secret helper does not have the key
//	env-empty, file-empty, secret-empty
//	env-too-large, file-too-large, secret-too-large
//	env-byte-order-mark, file-byte-order-mark, secret-byte-order-mark
//	env-nul, file-nul, secret-nul
//	env-invalid-utf8, file-invalid-utf8, secret-invalid-utf8
package manifest
