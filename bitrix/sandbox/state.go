package sandbox

import "time"

// State is what a portal starts from: its objects, its limits, what its work
// costs, how it differs from others, and what goes wrong on it. The zero value
// is an empty portal of the cloud without a limit on operating time, whose
// work takes no time. [ReadState] reads one from YAML; the keys are those of
// the tags.
type State struct {
	Connectors []Connector `yaml:"connectors"`
	Sources    []Source    `yaml:"sources"`
	Tables     []Table     `yaml:"tables"`
	// TakenNames are names of tables that CSV files, 1C, SQL or the system
	// have: no other table can have them, and REST does not show them.
	TakenNames []string `yaml:"taken_names"`

	Switches `yaml:",inline"`

	Limits Limits `yaml:"limits"`
	// Latency is added to every request, half of it on the way there and half
	// on the way back. It shows in no figure of an answer.
	Latency time.Duration `yaml:"latency"`
	// UpdateCost is the execution time of an update or an add of a source: the
	// portal calls the connector's check endpoint for each, even of the title
	// alone.
	UpdateCost time.Duration `yaml:"update_cost"`
	// HostCosts is the execution time of the same by host: that of a setting
	// whose value is a host or an address, or else that of the connector's
	// urlCheck. A host that is not in it costs UpdateCost.
	HostCosts map[string]time.Duration `yaml:"host_costs"`
	// WriteCost is the execution time of every other write.
	WriteCost time.Duration `yaml:"write_cost"`
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
	// OPERATION_TIME_LIMIT. 0 means no limit. The cloud has 420 to 480 s.
	OperatingLimit time.Duration `yaml:"operating_limit"`
	// OtherJobs spend operating time of the same application.
	OtherJobs []OtherJob `yaml:"other_jobs"`
	// Workers is how many requests the portal serves at a time; further ones
	// wait in a queue that shows in no figure of an answer. 0 means any number.
	Workers int `yaml:"workers"`

	// Redirect is the loopback address that the application is registered
	// with: where /oauth/authorize/ sends the browser unless it is told.
	Redirect string `yaml:"redirect"`
	// Scope lists the scopes of the application and the webhook; nil means
	// biconnector and user_brief.
	Scope []string `yaml:"scope"`
	// TokenLifetime is how long an access token lives; 0 means an hour, except
	// for the one the portal starts with, which then lives on.
	TokenLifetime time.Duration `yaml:"token_lifetime"`

	// Faults go wrong on purpose. The first that strikes a request counts.
	Faults []Fault `yaml:"faults"`
	// People do something beside the application while it works.
	People []Deed `yaml:"people"`
	// Seed of what faults with a rate draw from, and of the order of lists for
	// which none is asked.
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

// OtherJob is a job of the same application that spends its operating time.
type OtherJob struct {
	Method string        `yaml:"method"` // "biconnector.source.update"
	Spends time.Duration `yaml:"spends"` // each time
	Every  time.Duration `yaml:"every"`  // from the first request on
	Times  int           `yaml:"times"`  // 0 means without an end
}

// Connector is a connector as a state file or [Portal.Connector] has it.
type Connector struct {
	ID                  int64         `yaml:"id"`
	Title               string        `yaml:"title"`
	Description         string        `yaml:"description"`
	Logo                string        `yaml:"logo"`                // empty means a neutral one
	Sort                int64         `yaml:"sort"`                // 0 means 100
	URLCheck            string        `yaml:"urlCheck"`            // empty means one of an invented host
	URLTableList        string        `yaml:"urlTableList"`        // likewise
	URLTableDescription string        `yaml:"urlTableDescription"` // likewise
	URLData             string        `yaml:"urlData"`             // likewise
	SupportMapping      bool          `yaml:"supportMapping"`
	SourceCode          string        `yaml:"sourceCode"`
	Settings            []SettingType `yaml:"settings"`
	// Owner is the application that the connector belongs to, and with it all
	// its sources and their tables: empty for the one that the credentials of
	// the sandbox belong to. Others' objects are not visible to it.
	Owner string `yaml:"owner"`
	// Check is how the connector's check endpoint answers for sources that do
	// not say otherwise.
	Check string `yaml:"check"`
	// CheckCost is the execution time of an update or add of its sources; nil
	// means the portal's.
	CheckCost *time.Duration `yaml:"check_cost"`
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
	// CreatedByID is the user who made it: 0 means 1, the application's. People
	// make sources on an application's connectors too, in the interface.
	CreatedByID int64 `yaml:"createdById"`
	// Check is how the external system answers the connection check: "ok",
	// the default; "fail", never; "fail_once", from the second time on.
	Check string `yaml:"check"`
	// UpdateCost is the execution time of an update of this source; nil means
	// the portal's.
	UpdateCost *time.Duration `yaml:"update_cost"`
	// Owner is the application that sees it, as its connector says. It is told
	// and not read.
	Owner string `yaml:"-"`
}

// How a source's external system answers the connection check.
const (
	CheckOK       = "ok"
	CheckFail     = "fail"
	CheckFailOnce = "fail_once"
)

// Table is a table, which older portals call a dataset, as a state file or
// [Portal.Table] has it.
type Table struct {
	ID           int64    `yaml:"id"`
	Name         string   `yaml:"name"`
	SourceID     int64    `yaml:"sourceId"`
	ExternalName string   `yaml:"externalName"`
	ExternalCode string   `yaml:"externalCode"`
	Description  string   `yaml:"description"`
	ExternalID   int64    `yaml:"externalId"`  // of the BI Builder dataset on it, 0 for none
	CreatedByID  int64    `yaml:"createdById"` // as of a source
	Columns      []Column `yaml:"columns"`
	Owner        string   `yaml:"-"` // as of a source
}

// Column is a column of a table.
type Column struct {
	ID           int64  `yaml:"id"` // unique on the portal; 0 in a state means the next
	Name         string `yaml:"name"`
	Type         string `yaml:"type"`
	ExternalCode string `yaml:"externalCode"` // empty in a state means the name
	Visible      *bool  `yaml:"visible"`      // nil means true
}
