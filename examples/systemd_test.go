package examples

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// unit is a unit file: the values of each section's keys, in order.
type unit map[string]map[string][]string

func readUnit(t *testing.T, path string) unit {
	t.Helper()
	content := must(os.ReadFile(path))(t)
	u, section := unit{}, ""
	for i, line := range strings.Split(string(content), "\n") {
		line = strings.TrimSpace(line)
		key, value, ok := strings.Cut(line, "=")
		switch {
		case line == "" || line[0] == '#':
		case line[0] == '[' && strings.HasSuffix(line, "]"):
			section = strings.Trim(line, "[]")
			u[section] = map[string][]string{}
		case !ok || section == "":
			t.Fatalf("%s:%d: neither a section nor an assignment: %s", path, i+1, line)
		default:
			u[section][key] = append(u[section][key], value)
		}
	}
	return u
}

// expand replaces the specifiers of unit files.
func expand(s string) string {
	return strings.NewReplacer("%%", "%", "%d", "/run/credentials/syncsources.service", "%S", "/var/lib").Replace(s)
}

func TestSystemdService(t *testing.T) {
	service := readUnit(t, "systemd/syncsources.service")["Service"]
	env := map[string]string{}
	for _, assignment := range service["Environment"] {
		name, value, _ := strings.Cut(assignment, "=")
		env[name] = expand(value)
	}
	if len(service["ExecStart"]) != 1 {
		t.Fatalf("ExecStart %q", service["ExecStart"])
	}
	args := strings.Fields(expand(service["ExecStart"][0]))
	if args[0] != "/usr/local/bin/syncsources" {
		t.Errorf("program %q", args[0])
	}
	schedule{args[1:], env}.rehearse(t)

	for key, want := range map[string]string{
		"Type": "oneshot", "User": "syncsources", "NoNewPrivileges": "yes", "CapabilityBoundingSet": "", "ProtectSystem": "strict",
		"ProtectHome": "yes", "MemoryDenyWriteExecute": "yes", "LimitCORE": "0", "StateDirectoryMode": "0700",
		// Without it a filtered call kills, and Go's runtime makes one (setrlimit) before main.
		"SystemCallErrorNumber": "EPERM",
	} {
		if got := service[key]; !slices.Equal(got, []string{want}) {
			t.Errorf("%s=%q, want %q", key, got, want)
		}
	}
	if !strings.HasPrefix(env["B24_TOKEN_FILE"], "/var/lib/"+service["StateDirectory"][0]+"/") {
		t.Errorf("the token file %s is not in the state directory", env["B24_TOKEN_FILE"])
	}
	if env["XDG_STATE_HOME"] != "/var/lib/"+service["StateDirectory"][0] {
		t.Errorf("the lock is in %s, where runs by hand do not see it or the service cannot write", env["XDG_STATE_HOME"])
	}
}

func TestSystemdTimer(t *testing.T) {
	timer := readUnit(t, "systemd/syncsources.timer")
	if len(timer["Timer"]["OnCalendar"]) != 1 || !slices.Equal(timer["Install"]["WantedBy"], []string{"timers.target"}) {
		t.Errorf("%v", timer)
	}
}

// TestSystemdVerify lets systemd itself read the units, where it is installed.
// The tests above hold without it.
func TestSystemdVerify(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("systemd-analyze is not installed")
	}
	version, err := exec.Command(analyze, "--version").Output()
	if n, _ := strconv.Atoi(regexp.MustCompile(`\d+`).FindString(string(version))); n < 250 {
		t.Skipf("it does not know all that the units use: %v %s", err, version)
	}
	dir := t.TempDir()
	for _, name := range []string{"syncsources.service", "syncsources.timer"} {
		content := must(os.ReadFile(filepath.Join("systemd", name)))(t)
		// Verification wants the program to be there, or any other.
		content = []byte(strings.Replace(string(content), "/usr/local/bin/syncsources", "/bin/sh", 1))
		check(t, os.WriteFile(filepath.Join(dir, name), content, 0o644))
	}
	verify := exec.Command(analyze, "verify", "--man=no", filepath.Join(dir, "syncsources.service"), filepath.Join(dir, "syncsources.timer"))
	// It reads the machine's own units as well, and fails where it may not; what
	// it finds in ours, it says with their names.
	out, err := verify.CombinedOutput()
	if strings.Contains(string(out), "syncsources.") {
		t.Errorf("%v\n%s", err, out)
	}
}
