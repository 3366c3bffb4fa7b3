package manifest

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"unicode/utf8"

	"syncsources/bitrix/secret"
)

// maxReferenced is the largest content of a referenced file or variable, in
// bytes.
const maxReferenced = 64 << 10

// Resolver fetches the texts of references. The zero value knows no
// variable, and reads files below a manifest's own directory and /run/secrets.
type Resolver struct {
	// LookupEnv returns the value of an environment variable, as os.LookupEnv
	// does; nil: no variable is set.
	LookupEnv func(name string) (string, bool)
	// SecretHelper asks the secret helper: it gets the keys, one a line, and
	// returns what the helper printed, one JSON object of strings. It is called
	// once at most. nil: there is no helper.
	SecretHelper func(ctx context.Context, keys []byte) ([]byte, error)
	// AllowDirs are further directories whose files may be referenced.
	AllowDirs []string
	// DenyFiles are files that may not be referenced wherever they lie: those
	// that hold our own credentials.
	DenyFiles []string
	// SecretsDir is the directory that is always allowed; "": /run/secrets.
	SecretsDir string
}

// Resolve returns a copy of the set in which every reference of the selected
// objects has its text, and findings at the references that have none; with any
// finding the copy is not to be used. Each variable and file is read once, and
// the secret helper is asked once. selected may be nil: all are.
func (r *Resolver) Resolve(ctx context.Context, set *Set, selected func(Object) bool) (*Set, []*Finding) {
	if selected == nil {
		selected = func(Object) bool { return true }
	}
	run := resolving{Resolver: r, read: map[place]outcome{}}
	found := run.ask(ctx, secretsOf(set, selected))
	resolved := *set
	resolved.Connectors = slices.Clone(set.Connectors)
	for i := range resolved.Connectors {
		c := &resolved.Connectors[i]
		if c.Logo == nil || c.Logo.file == nil || !selected(c.Object) {
			continue
		}
		got := run.logo(c.Logo.file)
		if got.problem != nil {
			found = append(found, c.Logo.file.problem(got.problem))
			continue
		}
		c.Logo = &Logo{Position: c.Logo.Position, URL: got.plain, file: c.Logo.file}
	}
	resolved.Sources = slices.Clone(set.Sources)
	for i := range resolved.Sources {
		s := &resolved.Sources[i]
		if !slices.ContainsFunc(s.Settings, func(s Setting) bool { return s.Value.IsReference() }) || !selected(s.Object) {
			continue
		}
		s.Settings = slices.Clone(s.Settings)
		for j := range s.Settings {
			v := &s.Settings[j].Value
			if !v.IsReference() {
				continue
			}
			got := run.fetch(v.ref)
			if got.problem != nil {
				found = append(found, v.ref.problem(got.problem))
				continue
			}
			*v = Value{secret.New(got.plain), v.ref}
		}
	}
	return &resolved, arrange(slices.DeleteFunc(found, func(f *Finding) bool { return f.Rule == covered }), nil)
}

// Judge reports references to files outside of the directories that are
// allowed. It reads nothing: what is missing may be there when it is needed.
func (r *Resolver) Judge(set *Set) []*Finding {
	run := resolving{Resolver: r}
	judged := map[place]*unresolved{}
	var found []*Finding
	for _, ref := range set.files() {
		at := ref.place()
		problem, known := judged[at]
		if !known {
			if _, _, problem = run.locate(ref); problem != nil && problem.rule != "file-outside" {
				problem = nil
			}
			judged[at] = problem
		}
		if problem != nil {
			found = append(found, ref.problem(problem))
		}
	}
	return arrange(found, nil)
}

// unresolved is why a reference has no text.
type unresolved struct {
	rule, message string
	hints         []string
}

// place is what a reference names: two references to one place are read once.
type place struct{ env, secret, file, dir string }

func (r *reference) place() place { return place{r.env, r.secret, r.file, r.dir} }

type outcome struct {
	plain   string
	problem *unresolved
}

// resolving is one call of Resolve.
type resolving struct {
	*Resolver
	read  map[place]outcome
	roots map[string][]root // by the manifest's directory
}

func (r *resolving) fetch(ref *reference) outcome {
	at := ref.place()
	got, known := r.read[at]
	if known {
		return got
	}
	if ref.env != "" {
		got.plain, got.problem = r.variable(ref.env)
	} else {
		got.plain, got.problem = r.file(ref)
	}
	r.read[at] = got
	return got
}

// variable returns the value of an environment variable.
func (r *resolving) variable(name string) (string, *unresolved) {
	if r.LookupEnv == nil || reserved(name) {
		return "", unset(name)
	}
	s, ok := r.LookupEnv(name)
	if !ok {
		return "", unset(name)
	}
	return s, unfit("the variable "+Quote(name), "env", s)
}

func unset(name string) *unresolved {
	return &unresolved{"env-unset", "the variable " + Quote(name) + " is not set", []string{"set it in the environment of the run"}}
}

// reserved reports whether a variable holds our own credentials or flags. The
// schema refuses such references; this keeps a Set that was loaded without it
// from leaking them.
func reserved(name string) bool {
	name = strings.ToUpper(name)
	return strings.HasPrefix(name, "B24_") || strings.HasPrefix(name, "SYNCSOURCES_")
}

// unfit reports a content that cannot be a settings value.
func unfit(what, rule, s string) *unresolved {
	switch {
	case len(s) > maxReferenced:
		return &unresolved{rule + "-too-large", what + " holds more than 64 KiB", nil}
	case strings.HasPrefix(s, string(mark)):
		return &unresolved{rule + "-byte-order-mark", what + " begins with a byte order mark", []string{"it would become part of the value: remove it"}}
	case strings.ContainsRune(s, 0):
		return &unresolved{rule + "-nul", what + " holds a NUL character", []string{"a settings value is text"}}
	case !utf8.ValidString(s):
		return &unresolved{rule + "-invalid-utf8", what + " is not valid UTF-8", []string{"a settings value is text"}}
	case strings.Trim(s, " \t\n\r\x0b") == "":
		return &unresolved{rule + "-empty", what + " is empty", []string{`an empty value is declared as ""`}}
	}
	return nil
}

// trimNewline drops one line break at the end, which editors and echo leave.
func trimNewline(data []byte) []byte {
	if cut, ok := bytes.CutSuffix(data, []byte("\n")); ok {
		return bytes.TrimSuffix(cut, []byte("\r"))
	}
	return data
}
