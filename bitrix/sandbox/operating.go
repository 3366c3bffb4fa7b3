package sandbox

import (
	"strings"
	"time"
)

// The portal accounts execution time in buckets of a minute, and adds up the
// last ten of them.
const (
	operatingBuckets = 10
	operatingBucket  = time.Minute
)

// meter accounts the execution time of a method for an application.
type meter struct {
	minutes [operatingBuckets]int64     // Unix minutes; bucket i is that of minutes[i]
	first   [operatingBuckets]time.Time // when the first call billed to it began
	used    [operatingBuckets]time.Duration
	banned  time.Time // until when the method is shut
}

// add bills a call that lasted d to the minute in which its request began.
func (m *meter) add(request, call time.Time, d time.Duration) {
	minute := request.Unix() / int64(operatingBucket/time.Second)
	i := minute % operatingBuckets
	if m.minutes[i] < minute {
		m.minutes[i], m.first[i], m.used[i] = minute, call, 0
	}
	m.used[i] += d
}

// read returns what is used up of the last ten minutes, and by when the oldest
// part of it is forgiven: ten minutes after its first call began, or ten
// minutes from now if there is none.
func (m *meter) read(now time.Time) (used time.Duration, resetAt time.Time) {
	minute := now.Unix() / int64(operatingBucket/time.Second)
	oldest := -1
	if m != nil {
		for i, at := range m.minutes {
			if m.used[i] == 0 || at <= minute-operatingBuckets {
				continue
			}
			used += m.used[i]
			if oldest < 0 || at < m.minutes[oldest] {
				oldest = i
			}
		}
	}
	from := now
	if oldest >= 0 {
		from = m.first[oldest]
	}
	return used, from.Add(operatingBuckets * operatingBucket)
}

// meterKey is what execution time is accounted by.
type meterKey struct{ client, method string }

// minimalTime is what a request must spend on a method for it to count at
// all; then all of it does.
const minimalTime = 100 * time.Millisecond

// exhausted reports whether the client has used up the method's execution time.
// The portal asks before it executes, so that the last call overshoots. Newer
// servers forget what was used and shut the method for a fixed time.
func (p *Portal) exhausted(client, method string) bool {
	if p.cfg.OperatingLimit <= 0 {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	p.spend(client, now)
	m := p.meters[meterKey{client, method}]
	if m != nil && now.Before(m.banned) {
		return true
	}
	used, _ := m.read(now)
	if used <= p.cfg.OperatingLimit {
		return false
	}
	if ban := p.cfg.OperatingBan; ban > 0 {
		*m = meter{banned: now.Add(ban)}
	}
	return true
}

// bill accounts the execution time of a call that began at start, and returns
// the new sum.
func (r *run) bill(method string, start time.Time, d time.Duration) (used time.Duration, resetAt time.Time) {
	p := r.p
	p.mu.Lock()
	defer p.mu.Unlock()
	p.spend(r.auth.client, time.Now())
	key := meterKey{r.auth.client, method}
	m := p.meters[key]
	if r.spent == nil {
		r.spent = map[string]*spent{}
	}
	s := r.spent[method]
	if s == nil {
		s = &spent{first: start}
		r.spent[method] = s
	}
	if s.total += d; s.total > minimalTime && s.total > s.billed {
		if m == nil {
			m = new(meter)
			p.meters[key] = m
		}
		m.add(r.start, s.first, s.total-s.billed)
		s.billed = s.total
	}
	return m.read(time.Now())
}

// spent is what a request has spent on a method so far.
type spent struct {
	first         time.Time
	total, billed time.Duration
}

// otherJob is another job of the application, and how far it has got.
type otherJob struct {
	OtherJob
	first time.Time // when it spends first: with the first request
	spent int       // how often it has
}

// spend lets the application's other jobs spend what they would have by now.
// p.mu is held.
func (p *Portal) spend(client string, now time.Time) {
	if client != ClientID {
		return
	}
	for i := range p.others {
		j := &p.others[i]
		if j.first.IsZero() {
			j.first = now
		}
		for j.Times == 0 || j.spent < j.Times {
			at := j.first.Add(time.Duration(j.spent) * j.Every)
			if at.After(now) {
				break
			}
			key := meterKey{client, strings.ToLower(j.Method)}
			if p.meters[key] == nil {
				p.meters[key] = new(meter)
			}
			p.meters[key].add(at, at, j.Spends)
			j.spent++
		}
	}
}
