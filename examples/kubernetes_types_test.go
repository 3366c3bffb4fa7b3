package examples

// The part of the Kubernetes API that the examples use, with its names. The
// API's own Go types would bring more modules than the program itself has.

type meta struct {
	Name   string
	Labels map[string]string
}

type object struct {
	APIVersion string `yaml:"apiVersion"`
	Kind       string
	Metadata   meta
}

type kustomization struct {
	object    `yaml:",inline"`
	Namespace string
	Resources []string
	Images    []struct {
		Name    string
		NewName string `yaml:"newName"`
		NewTag  string `yaml:"newTag"`
	}
	ConfigMapGenerator []struct {
		Name            string
		Literals, Files []string
	} `yaml:"configMapGenerator"`
}

type serviceAccount struct {
	object                       `yaml:",inline"`
	AutomountServiceAccountToken *bool `yaml:"automountServiceAccountToken"`
}

type claim struct {
	object `yaml:",inline"`
	Spec   struct {
		AccessModes []string `yaml:"accessModes"`
		Resources   resources
	}
}

type resources struct {
	Requests, Limits map[string]string
}

type cronJob struct {
	object `yaml:",inline"`
	Spec   struct {
		Schedule                   string
		TimeZone                   string `yaml:"timeZone"`
		ConcurrencyPolicy          string `yaml:"concurrencyPolicy"`
		StartingDeadlineSeconds    int    `yaml:"startingDeadlineSeconds"`
		SuccessfulJobsHistoryLimit int    `yaml:"successfulJobsHistoryLimit"`
		FailedJobsHistoryLimit     int    `yaml:"failedJobsHistoryLimit"`
		JobTemplate                struct {
			Spec jobSpec
		} `yaml:"jobTemplate"`
	}
}

type job struct {
	object `yaml:",inline"`
	Spec   jobSpec
}

type jobSpec struct {
	CompletionMode          string `yaml:"completionMode"`
	Completions             int
	Parallelism             int
	BackoffLimit            *int `yaml:"backoffLimit"`
	BackoffLimitPerIndex    *int `yaml:"backoffLimitPerIndex"`
	ActiveDeadlineSeconds   int  `yaml:"activeDeadlineSeconds"`
	TTLSecondsAfterFinished int  `yaml:"ttlSecondsAfterFinished"`
	Template                struct {
		Metadata struct{ Labels map[string]string }
		Spec     podSpec
	}
}

type podSpec struct {
	RestartPolicy                 string             `yaml:"restartPolicy"`
	ServiceAccountName            string             `yaml:"serviceAccountName"`
	AutomountServiceAccountToken  *bool              `yaml:"automountServiceAccountToken"`
	EnableServiceLinks            *bool              `yaml:"enableServiceLinks"`
	TerminationGracePeriodSeconds int                `yaml:"terminationGracePeriodSeconds"`
	SecurityContext               podSecurityContext `yaml:"securityContext"`
	Containers                    []container
	Volumes                       []volume
}

type podSecurityContext struct {
	RunAsNonRoot        bool                  `yaml:"runAsNonRoot"`
	RunAsUser           int                   `yaml:"runAsUser"`
	RunAsGroup          int                   `yaml:"runAsGroup"`
	FSGroup             int                   `yaml:"fsGroup"`
	FSGroupChangePolicy string                `yaml:"fsGroupChangePolicy"`
	SeccompProfile      struct{ Type string } `yaml:"seccompProfile"`
}

type container struct {
	Name, Image     string
	ImagePullPolicy string `yaml:"imagePullPolicy"`
	Args            []string
	EnvFrom         []struct {
		ConfigMapRef struct{ Name string } `yaml:"configMapRef"`
	} `yaml:"envFrom"`
	Env []struct {
		Name, Value string
		ValueFrom   *struct {
			SecretKeyRef struct{ Name, Key string } `yaml:"secretKeyRef"`
		} `yaml:"valueFrom"`
	}
	SecurityContext struct {
		AllowPrivilegeEscalation *bool `yaml:"allowPrivilegeEscalation"`
		ReadOnlyRootFilesystem   bool  `yaml:"readOnlyRootFilesystem"`
		Capabilities             struct{ Drop []string }
	} `yaml:"securityContext"`
	Resources    resources
	VolumeMounts []struct {
		Name      string
		MountPath string `yaml:"mountPath"`
		ReadOnly  bool   `yaml:"readOnly"`
	} `yaml:"volumeMounts"`
}

type volume struct {
	Name      string
	ConfigMap *struct{ Name string } `yaml:"configMap"`
	Secret    *struct {
		SecretName  string `yaml:"secretName"`
		DefaultMode int    `yaml:"defaultMode"`
	}
	PersistentVolumeClaim *struct {
		ClaimName string `yaml:"claimName"`
	} `yaml:"persistentVolumeClaim"`
	EmptyDir *struct {
		Medium    string
		SizeLimit string `yaml:"sizeLimit"`
	} `yaml:"emptyDir"`
}
