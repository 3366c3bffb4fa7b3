package examples

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestCrontab reads the crontab by cron's rules and runs its command.
func TestCrontab(t *testing.T) {
	content := must(os.ReadFile("cron/syncsources"))(t)
	variable := regexp.MustCompile(`^([A-Z][A-Z0-9_]*)=(\S*)$`)
	field := regexp.MustCompile(`^[0-9*,/-]+$`)
	env := map[string]string{}
	commands := 0
	if !strings.HasSuffix(string(content), "\n") {
		t.Error("cron ignores a last line without a line break")
	}
	for _, line := range strings.Split(string(content), "\n") {
		if strings.TrimSpace(line) == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if m := variable.FindStringSubmatch(line); m != nil {
			env[m[1]] = m[2]
			continue
		}
		commands++
		fields := strings.Fields(line)
		if len(fields) < 7 {
			t.Fatalf("not five fields of time, a user and a command: %s", line)
		}
		for _, f := range fields[:5] {
			if !field.MatchString(f) {
				t.Errorf("field of time %q", f)
			}
		}
		if fields[5] != "syncsources" {
			t.Errorf("user %q", fields[5])
		}
		command := strings.Join(fields[6:], " ")
		if strings.Contains(strings.ReplaceAll(command, `\%`, ""), "%") {
			t.Errorf("cron ends the command at a bare percent sign: %s", command)
		}
		command = strings.ReplaceAll(command, `\%`, "%")
		call, rest, _ := strings.Cut(command, " >")
		if file, again, ok := strings.Cut(rest, " || cat "); !ok || file != again {
			t.Errorf("a failure is not mailed: %s", command)
		}
		args := strings.Fields(call)
		if args[0] != "syncsources" {
			t.Errorf("program %q", args[0])
		}
		schedule{args[1:], env}.rehearse(t)
	}
	if commands != 1 {
		t.Errorf("%d commands", commands)
	}
}
