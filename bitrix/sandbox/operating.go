package sandbox

import "time"

// The portal accounts execution time in buckets of a minute, and adds up the
// last ten of them.
const (
	operatingBuckets = 10
	operatingBucket  = time.Minute
)

// meter accounts the execution time of a method for an application.
type meter struct {
	minutes [operatingBuckets]int64 // Unix minutes; bucket i is that of minutes[i]
	used    [operatingBuckets]time.Duration
}

// add bills d at the time now.
func (m *meter) add(now time.Time, d time.Duration) {
	minute := now.Unix() / int64(operatingBucket/time.Second)
	i := minute % operatingBuckets
	if m.minutes[i] != minute {
		m.minutes[i], m.used[i] = minute, 0
	}
	m.used[i] += d
}

// read returns what is used up of the last ten minutes, and when the oldest
// part of it is forgiven: ten minutes from now if there is none.
func (m *meter) read(now time.Time) (used time.Duration, resetAt time.Time) {
	minute := now.Unix() / int64(operatingBucket/time.Second)
	oldest := int64(0)
	if m != nil {
		for i, at := range m.minutes {
			if m.used[i] == 0 || at <= minute-operatingBuckets {
				continue
			}
			used += m.used[i]
			if oldest == 0 || at < oldest {
				oldest = at
			}
		}
	}
	if oldest == 0 {
		return 0, now.Add(operatingBuckets * operatingBucket)
	}
	return used, time.Unix((oldest+operatingBuckets)*int64(operatingBucket/time.Second), 0)
}

// meterKey is what execution time is accounted by.
type meterKey struct{ client, method string }

// exhausted tells whether the client has used up the method's execution time.
// The portal asks before it executes, so that the last call overshoots.
func (p *Portal) exhausted(client, method string) bool {
	if p.cfg.OperatingLimit <= 0 {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	used, _ := p.meters[meterKey{client, method}].read(time.Now())
	return used >= p.cfg.OperatingLimit
}

// bill accounts execution time and returns the new sum.
func (p *Portal) bill(client, method string, d time.Duration) (used time.Duration, resetAt time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	key, now := meterKey{client, method}, time.Now()
	m := p.meters[key]
	if m == nil && d > 0 {
		m = new(meter)
		p.meters[key] = m
	}
	if d > 0 {
		m.add(now, d)
	}
	return m.read(now)
}
