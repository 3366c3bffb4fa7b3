package manifest_test

import (
	"cmp"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"syncsources/manifest"
	"syncsources/schema"
)

// tree writes files, named by their paths, and makes their directory the
// working one.
func tree(t *testing.T, files map[string]string) {
	t.Helper()
	t.Chdir(t.TempDir())
	for path, content := range files {
		check(t, os.MkdirAll(filepath.Dir(path), 0o755))
		check(t, os.WriteFile(path, []byte(content), 0o644))
	}
}

func load(paths ...string) (*manifest.Set, []*manifest.Finding, error) {
	return manifest.Load(paths, manifest.Options{Check: schema.Check})
}

func one(id string) string {
	return "version: 1\nsources:\n  - id: " + id + "\n    title: t\n"
}

func filesOf(set *manifest.Set) (files []string) {
	for _, s := range set.Sources {
		files = append(files, s.Position.File)
	}
	return files
}

func TestDirectories(t *testing.T) {
	tree(t, map[string]string{
		"m/b.yaml":            one("1"),
		"m/a.yml":             one("2"),
		"m/sub/z.yaml":        one("3"),
		"m/sub-x/y.yaml":      one("4"),
		"m/.hidden.yaml":      "no manifest",
		"m/.git/config.yaml":  "no manifest",
		"m/notes.txt":         "no manifest",
		"m/secrets/key":       "no manifest",
		"m/upper.YAML":        one("7"),
		"m/dir.yaml/in.yaml":  one("5"),
		"m/.data/linked.yaml": one("6"),
		"other/not/seen.yaml": "no manifest",
	})
	for name, target := range map[string]string{"m/link.yaml": ".data/linked.yaml", "m/linkdir": "sub", "m/back": "../m"} {
		if err := os.Symlink(target, name); err != nil {
			t.Skip(err)
		}
	}
	set := valid(load("./m/"))(t)
	want := []string{"m/a.yml", "m/b.yaml", "m/dir.yaml/in.yaml", "m/link.yaml", "m/linkdir/z.yaml", "m/sub-x/y.yaml", "m/upper.YAML"}
	if got := filesOf(set); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// Kubernetes mounts the directories of a ConfigMap as links.
func TestMountedConfigMap(t *testing.T) {
	tree(t, map[string]string{"etc/..2024/team/b.yaml": one("1"), "etc/..2024/a.yaml": one("2")})
	for name, target := range map[string]string{"etc/..data": "..2024", "etc/team": "..data/team", "etc/a.yaml": "..data/a.yaml"} {
		symlink(t, target, name)
	}
	set := valid(load("etc"))(t)
	if got, want := filesOf(set), []string{"etc/a.yaml", "etc/team/b.yaml"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// A link that leads nowhere is not left out: it may be a directory of manifests
// that is not mounted yet.
func TestLinkToNowhere(t *testing.T) {
	for _, name := range []string{"m/team", "m/b.yaml"} {
		tree(t, map[string]string{"m/a.yaml": one("1")})
		symlink(t, "nowhere", name)
		if _, _, err := load("m"); err == nil || !strings.HasPrefix(err.Error(), name+": the link leads nowhere: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A link to a directory, given by name, is followed.
func TestLinkToADirectory(t *testing.T) {
	tree(t, map[string]string{"m/a.yaml": one("1"), "m/sub/b.yaml": one("2")})
	if err := os.Symlink("m", "link"); err != nil {
		t.Skip(err)
	}
	for _, path := range []string{"link", "link/"} {
		set := valid(load(path))(t)
		if got, want := filesOf(set), []string{"link/a.yaml", "link/sub/b.yaml"}; !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", path, got, want)
		}
	}
}

func TestCommandLineOrder(t *testing.T) {
	tree(t, map[string]string{"b.yaml": one("1"), "a/m.yaml": one("2"), "c.txt": one("3")})
	set := valid(load("./c.txt", "b.yaml", "a"))(t)
	if got, want := filesOf(set), []string{"c.txt", "b.yaml", "a/m.yaml"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// A file is loaded once, however many paths lead to it: its sources would be
// duplicates of themselves otherwise.
func TestFileGivenTwice(t *testing.T) {
	tree(t, map[string]string{"m/a.yaml": one("1")})
	if err := os.Symlink("m", "link"); err != nil {
		t.Skip(err)
	}
	wd := must(os.Getwd())(t)
	set := valid(load("m/a.yaml", "m", "./m/../m/a.yaml", filepath.Join(wd, "m", "a.yaml"), "link/a.yaml"))(t)
	if len(set.Sources) != 1 || set.Sources[0].Position.File != "m/a.yaml" {
		t.Errorf("got %v", filesOf(set))
	}
}

func TestHiddenDirectoryGivenByName(t *testing.T) {
	tree(t, map[string]string{".hidden/a.yaml": one("1"), ".b.yaml": one("2")})
	set, found, err := load(".hidden", ".b.yaml")
	if err != nil || len(found) > 0 || len(set.Sources) != 2 {
		t.Fatal(set, found, err)
	}
	if _, _, err := load("."); err == nil {
		t.Error("a directory with hidden files only is no error")
	}
}

func TestPathsThatFail(t *testing.T) {
	tree(t, map[string]string{"empty/notes.txt": "", "good.yaml": one("0")})
	_, found, err := load("missing.yaml", "empty", "good.yaml", "gone/", "")
	if err == nil {
		t.Fatal("no error")
	}
	want := "missing.yaml: no such file or directory\nempty: the directory holds no *.yaml or *.yml file\ngone: no such file or directory\nan empty path: name a file, a directory, or - for standard input"
	if err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}
	if !errors.Is(err, os.ErrNotExist) {
		t.Error("the cause is lost")
	}
	if len(found) != 1 || found[0].Rule != "out-of-range" {
		t.Errorf("the other file's findings are %v", found)
	}
}

func TestStandardInput(t *testing.T) {
	read := func(r io.Reader) (*manifest.Set, []*manifest.Finding, error) {
		return manifest.Load([]string{"-", "-"}, manifest.Options{Stdin: r, Check: schema.Check})
	}
	set, found, err := read(strings.NewReader(one("1")))
	if err != nil || len(found) > 0 || len(set.Sources) != 1 {
		t.Fatal(set, found, err)
	}
	if got := set.Sources[0].Position.String(); got != "<stdin>:3:5" {
		t.Errorf("the source is at %s", got)
	}
	if _, found, _ := read(nil); len(found) != 1 || found[0].Error() != "<stdin>:1:1: the file declares nothing [empty-file]" {
		t.Errorf("no input: %v", found)
	}
	if _, _, err := read(iotest.ErrReader(errors.New("broken"))); err == nil || err.Error() != "read standard input: broken" {
		t.Errorf("broken input: %v", err)
	}
}

// A directory may come from a pull request: what it links to outside is not
// read, and least of all quoted.
func TestLinksOutOfADirectory(t *testing.T) {
	const canary = `{"access_token": "canary"}`
	for name, tt := range map[string]struct{ link, name, want string }{
		"beside it":       {"../other/token.yaml", "", "leads out of the directory"},
		"the environment": {"/proc/self/environ", "", "leads out of the directory"},
		"a directory":     {"../other", "evil", "leads out of the directory"},
	} {
		t.Run(name, func(t *testing.T) {
			tree(t, map[string]string{"m/a.yaml": one("1"), "other/token.yaml": canary})
			symlink(t, tt.link, "m/"+cmp.Or(tt.name, "evil.yaml"))
			_, found, err := load("m")
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "canary") {
				t.Errorf("error %v, want %q", err, tt.want)
			}
			for _, e := range found {
				t.Errorf("finding %s", e.Detail())
			}
		})
	}
}

// The same of a path that the command line names: the one who runs the program
// chose the name, and not what is there.
func TestCredentialsAreNoManifest(t *testing.T) {
	tree(t, map[string]string{"token.json": `{"access_token": "canary"}`})
	symlink(t, "token.json", "link.yaml")
	symlink(t, "/proc/self/environ", "environ.yaml")
	check(t, os.Link("token.json", "hard.yaml"))
	for _, path := range []string{"token.json", "link.yaml", "hard.yaml", "environ.yaml", "/proc/self/environ"} {
		if _, err := os.Stat(path); err != nil {
			continue // a system without /proc
		}
		_, found, err := manifest.Load([]string{path}, manifest.Options{DenyFiles: []string{"token.json"}})
		if err == nil || len(found) > 0 || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %v and %d findings", path, err, len(found))
		}
	}
}

// A named pipe would keep a run waiting for ever.
func TestPipesAreRefused(t *testing.T) {
	tree(t, map[string]string{"m/a.yaml": one("1")})
	if err := mkfifo("m/pipe.yaml"); err != nil {
		t.Skip(err)
	}
	for _, path := range []string{"m", "m/pipe.yaml", "/dev/null"} {
		if _, _, err := load(path); err == nil || !strings.HasSuffix(err.Error(), "it is not a regular file; pipe it to standard input, and name that -") {
			t.Errorf("%s: %v", path, err)
		}
		if _, _, err := manifest.LoadPortals(path, manifest.PortalsOptions{}); err == nil || !strings.HasSuffix(err.Error(), "it is not a regular file") {
			t.Errorf("%s as a portals file: %v", path, err)
		}
	}
}

func write(t *testing.T, path, content string) {
	t.Helper()
	check(t, os.WriteFile(path, []byte(content), 0o644))
}
