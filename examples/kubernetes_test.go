package examples

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// strictly decodes a document and refuses keys that the type does not have.
func strictly(t *testing.T, document []byte, into any) {
	t.Helper()
	dec := yaml.NewDecoder(bytes.NewReader(document))
	dec.KnownFields(true)
	if err := dec.Decode(into); err != nil {
		t.Fatalf("%v\n%s", err, document)
	}
}

// readKubernetes decodes the manifests, each into the type of its kind.
func readKubernetes(t *testing.T) (account serviceAccount, tokens claim, job cronJob) {
	t.Helper()
	content, err := os.ReadFile("kubernetes/cronjob.yaml")
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]any{"v1/ServiceAccount": &account, "v1/PersistentVolumeClaim": &tokens, "batch/v1/CronJob": &job}
	dec := yaml.NewDecoder(bytes.NewReader(content))
	for {
		var node yaml.Node
		err := dec.Decode(&node)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		var o object
		if err := node.Decode(&o); err != nil {
			t.Fatal(err)
		}
		into, ok := kinds[o.APIVersion+"/"+o.Kind]
		if !ok {
			t.Fatalf("an unexpected or repeated %s/%s", o.APIVersion, o.Kind)
		}
		delete(kinds, o.APIVersion+"/"+o.Kind)
		document, err := yaml.Marshal(&node)
		if err != nil {
			t.Fatal(err)
		}
		strictly(t, document, into)
		if o.Metadata.Namespace != "syncsources" {
			t.Errorf("%s is in namespace %q", o.Kind, o.Metadata.Namespace)
		}
	}
	if len(kinds) > 0 {
		t.Fatalf("missing: %v", kinds)
	}
	return account, tokens, job
}

func TestKubernetesCronJob(t *testing.T) {
	account, tokens, job := readKubernetes(t)
	pod := job.Spec.JobTemplate.Spec.Template.Spec
	if len(pod.Containers) != 1 {
		t.Fatalf("%d containers", len(pod.Containers))
	}
	c := pod.Containers[0]

	checks := map[string]bool{
		"runs never overlap":                   job.Spec.ConcurrencyPolicy == "Forbid",
		"a failed run is not repeated at once": job.Spec.JobTemplate.Spec.BackoffLimit != nil && *job.Spec.JobTemplate.Spec.BackoffLimit == 0 && pod.RestartPolicy == "Never",
		"a run ends before it is cut":          job.Spec.JobTemplate.Spec.ActiveDeadlineSeconds > 30*60 && slices.Contains(c.Args, "--timeout=30m"),
		"15 s are left to settle":              pod.TerminationGracePeriodSeconds > 15,
		"not root":                             pod.SecurityContext.RunAsNonRoot && pod.SecurityContext.RunAsUser == 65532,
		"system calls are filtered":            pod.SecurityContext.SeccompProfile.Type == "RuntimeDefault",
		"the token file stays private":         pod.SecurityContext.FSGroupChangePolicy == "OnRootMismatch",
		"the root file system is read-only":    c.SecurityContext.ReadOnlyRootFilesystem,
		"no escalation":                        c.SecurityContext.AllowPrivilegeEscalation != nil && !*c.SecurityContext.AllowPrivilegeEscalation,
		"no capabilities":                      slices.Equal(c.SecurityContext.Capabilities.Drop, []string{"ALL"}),
		"memory is bounded":                    c.Resources.Limits["memory"] != "" && c.Resources.Requests["memory"] != "" && c.Resources.Requests["cpu"] != "",
		"no token of the cluster": account.AutomountServiceAccountToken != nil && !*account.AutomountServiceAccountToken &&
			pod.AutomountServiceAccountToken != nil && !*pod.AutomountServiceAccountToken && pod.ServiceAccountName == account.Metadata.Name,
		"one pod holds the token": slices.Equal(tokens.Spec.AccessModes, []string{"ReadWriteOncePod"}),
	}
	for what, holds := range checks {
		if !holds {
			t.Errorf("does not hold: %s", what)
		}
	}

	env := map[string]string{}
	for _, e := range c.Env {
		env[e.Name] = e.Value
	}
	schedule{c.Args, env}.rehearse(t)
	checkMounts(t, pod, env, tokens.Metadata.Name)
}

// checkMounts checks that each volume is mounted, and that each file that the
// environment names is on a volume of the right kind.
func checkMounts(t *testing.T, pod podSpec, env map[string]string, claimName string) {
	t.Helper()
	volumes := map[string]volume{}
	for _, v := range pod.Volumes {
		volumes[v.Name] = v
	}
	at := map[string]volume{}
	for _, m := range pod.Containers[0].VolumeMounts {
		v, ok := volumes[m.Name]
		if !ok {
			t.Errorf("no volume %q", m.Name)
		}
		delete(volumes, m.Name)
		if lasts := v.PersistentVolumeClaim != nil || v.EmptyDir != nil; m.ReadOnly == lasts {
			t.Errorf("volume %s: read-only %v", m.Name, m.ReadOnly)
		}
		at[m.MountPath] = v
	}
	if len(volumes) > 0 {
		t.Errorf("not mounted: %v", volumes)
	}
	for name, value := range env {
		v := at[path.Dir(value)]
		switch {
		case name == "B24_TOKEN_FILE":
			if v.PersistentVolumeClaim == nil || v.PersistentVolumeClaim.ClaimName != claimName {
				t.Errorf("%s is not on the claim", name)
			}
		case strings.HasSuffix(name, "_FILE"):
			if v.Secret == nil {
				t.Errorf("%s is not on a secret", name)
			}
		}
	}
	if at["/etc/syncsources/manifests"].ConfigMap == nil {
		t.Error("the manifests are on no volume")
	}
}

// TestConfigMapVolume lays manifests and secrets out as the kubelet does, with
// links to a hidden directory, and reads them so.
func TestConfigMapVolume(t *testing.T) {
	dir := t.TempDir()
	lay := func(mount, name, content string) {
		t.Helper()
		hidden := path.Join(dir, mount, "..2026_01_02_03_04_05.1")
		err := errors.Join(os.MkdirAll(hidden, 0o755), os.WriteFile(path.Join(hidden, name), []byte(content), 0o440),
			os.Symlink("..2026_01_02_03_04_05.1", path.Join(dir, mount, "..data")), os.Symlink("..data/"+name, path.Join(dir, mount, name)))
		if err != nil {
			t.Skip("no links here: ", err)
		}
	}
	lay("settings", "crm-password", "another-password\n")
	lay("manifests", "crm.yaml", "version: 1\nsources:\n  - id: 4\n    settings: {password: {file: "+dir+"/settings/crm-password}}\n")
	r := run(t, nil, "apply", "--sandbox", "sandbox.yaml", "--allow-file", path.Join(dir, "settings"), path.Join(dir, "manifests"))
	if r.code != 0 || r.lastLine() != "Apply: 1 updated, 0 failed, 0 skipped, 0 unchanged." {
		t.Errorf("exit code %d\n%s\n%s", r.code, r.stdout, r.stderr)
	}
}
