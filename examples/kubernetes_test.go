package examples

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path"
	"reflect"
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

// readKubernetes decodes the documents of a file, each into the value for its
// apiVersion and kind. All of these must be there, once.
func readKubernetes(t *testing.T, file string, kinds map[string]any) {
	t.Helper()
	content := must(os.ReadFile(file))(t)
	missing := map[string]bool{}
	for kind := range kinds {
		missing[kind] = true
	}
	dec := yaml.NewDecoder(bytes.NewReader(content))
	for {
		var node yaml.Node
		err := dec.Decode(&node)
		if errors.Is(err, io.EOF) {
			break
		}
		check(t, err)
		var o object
		check(t, node.Decode(&o))
		kind := o.APIVersion + "/" + o.Kind
		if !missing[kind] {
			t.Fatalf("%s: an unexpected or repeated %s", file, kind)
		}
		delete(missing, kind)
		document, err := yaml.Marshal(&node)
		check(t, err)
		strictly(t, document, kinds[kind])
	}
	if len(missing) > 0 {
		t.Fatalf("%s: missing: %v", file, missing)
	}
}

// readKustomization returns the image's and the generated files' names, and
// checks that there is nothing else to fill in.
func readKustomization(t *testing.T, dir string) (env map[string]string, configMaps map[string][]string) {
	t.Helper()
	var k kustomization
	readKubernetes(t, dir+"/kustomization.yaml", map[string]any{"kustomize.config.k8s.io/v1beta1/Kustomization": &k})
	if k.Namespace != "syncsources" || !slices.Equal(k.Resources, []string{"cronjob.yaml"}) || len(k.Images) != 1 || k.Images[0].Name != "syncsources" {
		t.Errorf("%+v", k)
	}
	env, configMaps = map[string]string{}, map[string][]string{}
	for _, g := range k.ConfigMapGenerator {
		for _, literal := range g.Literals {
			name, value, _ := strings.Cut(literal, "=")
			env[name] = value
		}
		configMaps[g.Name] = g.Files
		for _, file := range g.Files {
			if _, err := os.Stat(path.Join(dir, file)); err != nil {
				t.Error(err)
			}
		}
	}
	return env, configMaps
}

// checkPod checks what all pods of the examples have in common.
func checkPod(t *testing.T, job jobSpec, account serviceAccount) {
	t.Helper()
	pod := job.Template.Spec
	if len(pod.Containers) != 1 {
		t.Fatalf("%d containers", len(pod.Containers))
	}
	c := pod.Containers[0]
	for what, holds := range map[string]bool{
		"a failed run is not repeated at once": pod.RestartPolicy == "Never",
		"a run ends before it is cut":          job.ActiveDeadlineSeconds > 30*60 && slices.Contains(c.Args, "--timeout=30m"),
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
		"the image is filled in at one place": c.Image == "syncsources",
	} {
		if !holds {
			t.Errorf("does not hold: %s", what)
		}
	}
}

func TestKubernetesCronJob(t *testing.T) {
	var account serviceAccount
	var tokens claim
	var cron cronJob
	readKubernetes(t, "kubernetes/cronjob.yaml", map[string]any{
		"v1/ServiceAccount": &account, "v1/PersistentVolumeClaim": &tokens, "batch/v1/CronJob": &cron,
	})
	spec := cron.Spec.JobTemplate.Spec
	checkPod(t, spec, account)
	if cron.Spec.ConcurrencyPolicy != "Forbid" || spec.BackoffLimit == nil || *spec.BackoffLimit != 0 || !slices.Equal(tokens.Spec.AccessModes, []string{"ReadWriteOncePod"}) {
		t.Errorf("runs overlap, are repeated at once, or share the token: %+v", cron.Spec)
	}

	pod := spec.Template.Spec
	env, configMaps := readKustomization(t, "kubernetes")
	for _, from := range pod.Containers[0].EnvFrom {
		if _, ok := configMaps[from.ConfigMapRef.Name]; !ok {
			t.Errorf("no config map %s", from.ConfigMapRef.Name)
		}
	}
	for _, e := range pod.Containers[0].Env {
		env[e.Name] = e.Value
	}
	schedule{pod.Containers[0].Args, env}.rehearse(t)
	at := checkMounts(t, pod, configMaps)
	for name, value := range env {
		switch v := at[path.Dir(value)]; {
		case name == "B24_TOKEN_FILE":
			if v.PersistentVolumeClaim == nil || v.PersistentVolumeClaim.ClaimName != tokens.Metadata.Name {
				t.Errorf("%s is not on the claim", name)
			}
		case name == "XDG_STATE_HOME":
			if at[value].PersistentVolumeClaim == nil {
				t.Error("the lock is gone with the pod")
			}
		case strings.HasSuffix(name, "_FILE") && v.Secret == nil:
			t.Errorf("%s is not on a secret", name)
		}
	}
}

// checkMounts checks that each volume is there, mounted and writable where
// something is to be written, and returns the volumes by mount path.
func checkMounts(t *testing.T, pod podSpec, configMaps map[string][]string) map[string]volume {
	t.Helper()
	volumes := map[string]volume{}
	for _, v := range pod.Volumes {
		volumes[v.Name] = v
		if v.ConfigMap != nil && configMaps[v.ConfigMap.Name] == nil {
			t.Errorf("no config map %s", v.ConfigMap.Name)
		}
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
	return at
}

// TestKubernetesIndexedJob checks the job whose pods take a shard each.
func TestKubernetesIndexedJob(t *testing.T) {
	var account, again serviceAccount
	var reports, reportsAgain claim
	var cron cronJob
	var once job
	readKubernetes(t, "kubernetes/portals/cronjob.yaml", map[string]any{
		"v1/ServiceAccount": &account, "v1/PersistentVolumeClaim": &reports, "batch/v1/CronJob": &cron,
	})
	readKubernetes(t, "kubernetes/portals/job.yaml", map[string]any{
		"v1/ServiceAccount": &again, "v1/PersistentVolumeClaim": &reportsAgain, "batch/v1/Job": &once,
	})
	spec := once.Spec
	if !reflect.DeepEqual(spec, cron.Spec.JobTemplate.Spec) || !reflect.DeepEqual(account, again) || !reflect.DeepEqual(reports, reportsAgain) {
		t.Error("the job and the job of the cron job differ")
	}
	checkPod(t, spec, account)
	args := spec.Template.Spec.Containers[0].Args
	for what, holds := range map[string]bool{
		"runs never overlap":                 cron.Spec.ConcurrencyPolicy == "Forbid",
		"each pod has an index":              spec.CompletionMode == "Indexed",
		"all shards run":                     spec.Completions == 4 && spec.Parallelism == 4 && slices.Contains(args, "--shard=auto/4"),
		"a failed shard leaves others alone": spec.BackoffLimit == nil && spec.BackoffLimitPerIndex != nil && *spec.BackoffLimitPerIndex == 0,
		"each shard has a report":            slices.Contains(args, "--report=/reports/$(JOB_COMPLETION_INDEX).json"),
		"the pods of all nodes may write it": slices.Equal(reports.Spec.AccessModes, []string{"ReadWriteMany"}),
	} {
		if !holds {
			t.Errorf("does not hold: %s", what)
		}
	}
	_, configMaps := readKustomization(t, "kubernetes/portals")
	at := checkMounts(t, spec.Template.Spec, configMaps)
	if at["/reports"].PersistentVolumeClaim == nil || at["/reports"].PersistentVolumeClaim.ClaimName != reports.Metadata.Name {
		t.Error("the reports are gone with the pod")
	}
	env := map[string]string{}
	for _, e := range spec.Template.Spec.Containers[0].Env {
		env[e.Name] = e.Value
	}
	credentials := at["/etc/syncsources/credentials"].Secret
	for _, name := range []string{"SYNCSOURCES_STORE_FILE", "SYNCSOURCES_STORE_KEY_FILE"} {
		if path.Dir(env[name]) != "/etc/syncsources/credentials" {
			t.Errorf("%s=%s is not on the secret", name, env[name])
		}
	}
	// Manifests may refer to everything below /run/secrets.
	if settings := at["/run/secrets/syncsources"].Secret; credentials == nil || settings == nil || settings.SecretName == credentials.SecretName {
		t.Error("manifests can refer to the credentials")
	}
	if r := run(t, nil, "validate", "--portals", "kubernetes/portals/portals.yaml"); r.code != 0 {
		t.Errorf("the portals file: exit code %d\n%s", r.code, r.stderr)
	}
	if r := run(t, nil, "validate", "kubernetes/manifests"); r.code != 0 {
		t.Errorf("the manifests: exit code %d\n%s", r.code, r.stderr)
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
	if r.code != 0 || !strings.Contains(r.lastLine(), "1 updated") || !strings.Contains(r.lastLine(), "0 failed") {
		t.Errorf("exit code %d\n%s\n%s", r.code, r.stdout, r.stderr)
	}
}
