package main

import (
	"cmp"
	"math"
	"time"

	"github.com/spf13/pflag"

	"syncsources/bitrix"
	"syncsources/cmd/syncsources/option"
	"syncsources/manifest"
	"syncsources/runner/schedule"
)

// The portal's limits where nobody says otherwise.
const (
	defaultRequestTime    = 60 * time.Second
	defaultOperatingLimit = 480 * time.Second
)

// limits are those of a portal, as flags or the portals file have them. Zero
// and nil values say nothing.
type limits manifest.Limits

// add adds the flags of limits.
func (l *limits) add(set *pflag.FlagSet) {
	option.Add(set, &l.Concurrency, "concurrency", "N", "", "maximum requests in flight to a portal; without it as many as the portal shows to serve, beginning with 16, 50 at most", option.Integer(1, math.MaxInt))
	option.Add(set, &l.BatchSize, "batch-size", "N", "", "maximum commands per batch, up to 50 (default 50)", option.Integer(1, bitrix.MaxBatch))
	option.AddChoice(set, &l.Tariff, "tariff", "", "NAME", "the portal's rate limit by its tariff: standard (2 a second, burst 50), which is the default, or enterprise (5, 250)", "", "standard", "enterprise")
	option.Add(set, &l.Rate, "rate", "R", "", "requests a second that the portal allows, instead of the tariff's", option.Rate)
	option.Add(set, &l.Burst, "burst", "B", "", "requests that the portal allows at once, instead of the tariff's", option.Integer(1, math.MaxInt))
	option.Add(set, &l.Operating, "operating-limit", "DURATION", "", "execution time that the portal allows each method in ten minutes, 0 for no limit (default 480s)", durationPointer)
	option.Add(set, &l.RequestTime, "request-time", "DURATION", "", "time after which the portal cuts a request off (default 60s)", option.Duration)
}

func durationPointer(text string) (*time.Duration, error) {
	d, err := option.DurationOrZero(text)
	return &d, err
}

// or fills what l does not say from others.
func (l limits) or(others limits) limits {
	l.Tariff = cmp.Or(l.Tariff, others.Tariff)
	l.Rate = cmp.Or(l.Rate, others.Rate)
	l.Burst = cmp.Or(l.Burst, others.Burst)
	l.Concurrency = cmp.Or(l.Concurrency, others.Concurrency)
	l.BatchSize = cmp.Or(l.BatchSize, others.BatchSize)
	l.Operating = cmp.Or(l.Operating, others.Operating)
	l.RequestTime = cmp.Or(l.RequestTime, others.RequestTime)
	return l
}

// schedule is the pace that the limits allow.
func (l limits) schedule() schedule.Config {
	conf := schedule.Config{
		Rate: 2, Burst: 50, Concurrency: l.Concurrency, BatchSize: cmp.Or(l.BatchSize, bitrix.MaxBatch),
		RequestTime: cmp.Or(l.RequestTime, defaultRequestTime), OperatingLimit: defaultOperatingLimit,
	}
	if l.Tariff == "enterprise" {
		conf.Rate, conf.Burst = 5, 250
	}
	conf.Rate = cmp.Or(l.Rate, conf.Rate)
	conf.Burst = cmp.Or(l.Burst, conf.Burst)
	if l.Operating != nil {
		if conf.OperatingLimit = *l.Operating; conf.OperatingLimit == 0 {
			conf.OperatingLimit = -1 // none
		}
	}
	return conf
}
