package sandbox

import "time"

// State is what a portal starts from: its connectors and sources, its limits,
// what its work costs, and what goes wrong on it. The zero value is an empty
// portal of the cloud without a limit on operating time, whose work takes no
// time. [ReadState] reads one from YAML; the keys are those of the tags.
type State struct {
	Connectors []Connector `yaml:"connectors"`
	Sources    []Source    `yaml:"sources"`
	Limits     Limits      `yaml:"limits"`

	// Latency is added to every request, half of it on the way there and half
	// on the way back. It shows in no figure of an answer.
	Latency time.Duration `yaml:"latency"`
	// UpdateCost is the execution time of an update: the portal calls the
	// connector's check endpoint for each, even of the title alone.
	UpdateCost time.Duration `yaml:"update_cost"`
	// ReadCost is the execution time of a list or get.
	ReadCost time.Duration `yaml:"read_cost"`
	// CostOf, if not nil, gives the execution time of an update of a source
	// in place of UpdateCost. It is called by several goroutines at a time.
	CostOf func(id int64) time.Duration `yaml:"-"`

	// RequestTime is where a request is cut: commands that ran stay done, the
	// answer is an HTML page with status 504. 0 means 60 s, as in the cloud;
	// negative: never.
	RequestTime time.Duration `yaml:"request_time"`
	// OperatingLimit is the execution time that an application may use up per
	// method in ten minutes; beyond it calls are refused with
	// OPERATION_TIME_LIMIT. 0 means no limit. The cloud has 480 s.
	OperatingLimit time.Duration `yaml:"operating_limit"`
	// OperatingBilled is to whom the commands of a batch are billed: "nested",
	// the default, to the method of each command, as documented; "batch" to
	// the method batch, as measured on a self-hosted portal.
	OperatingBilled string `yaml:"operating_billed"`
	// HideOperating leaves the figures of the operating time out of all
	// answers, as on a self-hosted portal that does not account it.
	HideOperating bool `yaml:"hide_operating"`
	// Workers is how many requests the portal serves at a time; further ones
	// wait in a queue that shows in no figure of an answer. 0 means any number.
	Workers int `yaml:"workers"`

	// Address is the portal's address in answers, as https://acme.example;
	// empty means the one it is asked at.
	Address string `yaml:"address"`
	// Redirect is the loopback address that the application is registered
	// with: where /oauth/authorize/ sends the browser unless it is told.
	Redirect string `yaml:"redirect"`

	// Webhooks lets webhooks call biconnector methods, as a self-hosted portal
	// can be set; the cloud answers ACCESS_DENIED.
	Webhooks bool `yaml:"webhooks"`
	// HonourActive makes the portal store the field active, as older pages of
	// the documentation promise. Current portals accept and ignore it.
	HonourActive bool `yaml:"honour_active"`
	// Scope lists the scopes of the application and the webhook; nil means
	// biconnector and user_brief.
	Scope []string `yaml:"scope"`
	// TokenLifetime is how long an access token lives; 0 means an hour, except
	// for the one the portal starts with, which then lives on.
	TokenLifetime time.Duration `yaml:"token_lifetime"`

	// Faults go wrong on purpose. The first that strikes a request counts.
	Faults []Fault `yaml:"faults"`
	// Seed of what faults with a rate draw from.
	Seed uint64 `yaml:"seed"`

	// KeepCalls bounds how many of the latest calls [Portal.Calls] returns.
	// 0 keeps all, a negative number none.
	KeepCalls int `yaml:"keep_calls"`
}

// Limits is the portal's limit on requests: a leaky bucket per portal and
// address. A request adds one to it, and each whole second after the first
// request Rate flow out in one step. A request that finds more than Burst in
// the bucket is refused with QUERY_LIMIT_EXCEEDED and adds nothing, so that a
// burst of Burst+1 gets through.
type Limits struct {
	Rate  int `yaml:"rate"`  // 0 means 2; an Enterprise portal has 5
	Burst int `yaml:"burst"` // 0 means 50; an Enterprise portal has 250
	// Level is how full the bucket is when the first request arrives: another
	// job on the same machine shares it.
	Level int `yaml:"level"`
	// Phase moves the steps: the first comes Phase before a whole second after
	// the first request.
	Phase time.Duration `yaml:"phase"`
	// Unlimited switches the limit off.
	Unlimited bool `yaml:"unlimited"`
}

// Connector declares which settings its sources have.
type Connector struct {
	ID          int64         `yaml:"id"`
	Title       string        `yaml:"title"`
	Description string        `yaml:"description"`
	Settings    []SettingType `yaml:"settings"`
}

// SettingType declares a setting.
type SettingType struct {
	Code string `yaml:"code"`
	Name string `yaml:"name"` // what a user reads; empty means Code
	Type string `yaml:"type"` // STRING, the default, or INT
}

// Source is a source as a state file or [Portal.Source] has it.
type Source struct {
	ID          int64             `yaml:"id"`
	Title       string            `yaml:"title"`
	ConnectorID int64             `yaml:"connectorId"`
	Active      *bool             `yaml:"active"` // nil means true
	Description *string           `yaml:"description"`
	Settings    map[string]string `yaml:"settings"` // by code; the connector must declare it
	// Owner is the application that created the source: empty for the one
	// that the credentials of the sandbox belong to. The sources of others are
	// not visible to it.
	Owner string `yaml:"owner"`
	// Check is how the external system answers the connection check: "ok",
	// the default; "fail", never; "fail_once", from the second time on.
	Check string `yaml:"check"`
	// UpdateCost is the execution time of an update of this source; nil means
	// the portal's.
	UpdateCost *time.Duration `yaml:"update_cost"`
	// Datasets is how many datasets depend on the source: with any, it cannot
	// be deleted.
	Datasets int `yaml:"datasets"`
}

// How a source's external system answers the connection check.
const (
	CheckOK       = "ok"
	CheckFail     = "fail"
	CheckFailOnce = "fail_once"
)

// Whom the commands of a batch are billed to.
const (
	BilledNested = "nested"
	BilledBatch  = "batch"
)
