package render

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"syncsources/runner"
	"syncsources/runner/render/clean"
)

// The geometry of the timeline, in units of its own picture.
const (
	chartLeft   = 48.0
	chartWidth  = 1000.0
	chartFlight = 96.0 // heights of the three panels
	chartBatch  = 72.0
	chartRate   = 72.0
	chartGap    = 40.0
	chartTop    = 22.0
)

// htmlTimeline is the picture of a run's requests: how many were in flight, how
// many commands each carried, and how near the run came to the portal's rate
// limit; with waits and refusals across all three.
type htmlTimeline struct {
	Width, Height                   string
	Caption                         string
	Panels                          []chartPanel
	Ticks                           []chartMark
	Waits                           []chartBand
	Refusals                        []chartMark
	Bars                            []chartBar
	Legend                          []chartLegend
	PlotTop, PlotBottom, PlotHeight string
	AxisY                           string
}

type chartPanel struct {
	Title, Path    string // Path: the outline of the area
	TitleY, Bottom string
	Limit, LimitY  string // the name and height of the limit line; "" for none
	LimitTextY     string
	Max, MaxY      string
}

type chartMark struct{ X, Text, Class string }

type chartBand struct{ X, Width, Text, TextX, Title string }

type chartBar struct{ X, Y, Width, Height, Class, Text string }

type chartLegend struct{ Class, Text string }

// results are those of the timeline, the plain one first.
var results = []chartLegend{
	{"ok", "answered"}, {"throttled", "throttled (503, 429)"}, {"held", "held by operating time"}, {"lost", "answer lost"}, {"refused", "refused"},
}

func resultClass(result string) string {
	for _, r := range results {
		if r.Class == result {
			return result
		}
	}
	return "refused"
}

// timeline draws the requests of a report; nil where there are none. Of many
// portals each gets its share of what one page can hold.
func timeline(r *runner.Report, portals int) *htmlTimeline {
	if len(r.Timeline) == 0 {
		return nil
	}
	all := slices.Clone(r.Timeline)
	slices.SortStableFunc(all, func(a, b runner.Exchange) int { return cmp.Compare(a.At, b.At) })
	end := r.Duration
	for _, e := range all {
		end = max(end, e.At+e.Seconds)
	}
	if !(end > 0) || math.IsInf(end, 0) {
		end = 1
	}
	c := &chart{all: all, end: end, limits: r.Limits, known: r.Waits}
	return c.draw(thin(all, max(100, timelineLimit/max(1, portals))))
}

type chart struct {
	all    []runner.Exchange
	end    float64
	limits *runner.Limits
	known  []runner.Wait
}

func (c *chart) x(t float64) float64 {
	return chartLeft + chartWidth*max(0, min(1, t/c.end))
}

func num(f float64) string {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		f = 0
	}
	return strings.TrimSuffix(fmt.Sprintf("%.1f", f), ".0")
}

func (c *chart) draw(bars []runner.Exchange) *htmlTimeline {
	flight, most := c.inFlight()
	level, fullest := c.bucket()
	flightTop := chartTop
	batchTop := flightTop + chartFlight + chartGap
	rateTop := batchTop + chartBatch + chartGap
	bottom := rateTop + chartRate
	if c.limits == nil || c.limits.Rate <= 0 {
		bottom = batchTop + chartBatch
	}
	t := &htmlTimeline{
		Width: num(chartLeft + chartWidth + 12), Height: num(bottom + 28),
		PlotTop: num(flightTop), PlotBottom: num(bottom), PlotHeight: num(bottom - flightTop), AxisY: num(bottom + 18),
		Ticks: c.ticks(), Waits: c.waits(),
	}
	concurrency, burst := 0.0, 0.0
	if c.limits != nil {
		concurrency, burst = float64(c.limits.Concurrency), float64(c.limits.Burst)
	}
	t.Panels = append(t.Panels, c.area("Requests in flight", "flight", flight, most, concurrency, "limit", flightTop, chartFlight))
	carried := 1
	for _, e := range c.all {
		carried = max(carried, e.Commands)
	}
	t.Panels = append(t.Panels, chartPanel{
		Title: "Commands in each request", TitleY: num(batchTop - 8), Bottom: num(batchTop + chartBatch),
		Max: grouped(carried), MaxY: num(batchTop + 4),
	})
	if c.limits != nil && c.limits.Rate > 0 {
		t.Panels = append(t.Panels, c.area("Requests that count against the rate limit", "rate", level, fullest, burst, "burst", rateTop, chartRate))
	}
	seen := map[string]bool{}
	for _, e := range bars {
		class := resultClass(e.Result)
		seen[class] = true
		height := max(2, chartBatch*float64(max(0, e.Commands))/float64(carried))
		t.Bars = append(t.Bars, chartBar{
			X: num(c.x(e.At) - 0.9), Y: num(batchTop + chartBatch - height), Width: "1.8", Height: num(height), Class: class,
			Text: fmt.Sprintf("%s, %s, after %s, took %s: %s", clean.Line(cut(e.Method, longestTitle)), count(e.Commands, "command"), took(e.At), took(e.Seconds), clean.Line(cut(e.Result, longestTitle))),
		})
		if class != answered {
			t.Refusals = append(t.Refusals, chartMark{X: num(c.x(e.At + e.Seconds)), Class: class, Text: fmt.Sprintf("%s after %s", clean.Line(cut(e.Result, longestTitle)), took(e.At+e.Seconds))})
		}
	}
	for _, r := range results {
		if seen[r.Class] {
			t.Legend = append(t.Legend, r)
		}
	}
	t.Caption = c.caption(most, len(bars))
	return t
}

// point is a value from a time on.
type point struct{ at, value float64 }

// inFlight is the number of requests in flight over time, and its maximum.
func (c *chart) inFlight() (steps []point, most float64) {
	events := make([]point, 0, 2*len(c.all))
	for _, e := range c.all {
		events = append(events, point{e.At, 1}, point{e.At + max(0, e.Seconds), -1})
	}
	slices.SortStableFunc(events, func(a, b point) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.value, b.value)) })
	n := 0.0
	for _, e := range events {
		n += e.value
		most = max(most, n)
		steps = append(steps, point{e.at, n})
	}
	return steps, most
}

// bucket is how many requests count against the rate limit over time, as the
// portal counts: each adds one, and the rate is taken off every second.
func (c *chart) bucket() (steps []point, fullest float64) {
	if c.limits == nil || c.limits.Rate <= 0 {
		return nil, 0
	}
	level, last := 0.0, 0.0
	for _, e := range c.all {
		level = max(0, level-(e.At-last)*c.limits.Rate)
		steps = append(steps, point{e.At, level})
		level, last = level+1, e.At
		fullest = max(fullest, level)
		steps = append(steps, point{e.At, level})
	}
	empty := last + level/c.limits.Rate
	steps = append(steps, point{min(empty, c.end), max(0, level-(min(empty, c.end)-last)*c.limits.Rate)})
	return steps, fullest
}

// area is a panel with an outline of at most one point for each unit of width:
// of those that share one, the highest.
func (c *chart) area(title, class string, steps []point, highest, limit float64, limitName string, top, height float64) chartPanel {
	scale := max(1, highest)
	p := chartPanel{Title: title, TitleY: num(top - 8), Bottom: num(top + height), Max: grouped(int(math.Ceil(scale))), MaxY: num(top + 4)}
	// A limit far above everything would flatten the picture: it is named only.
	if limit > 0 && limit <= 4*scale {
		scale = max(scale, limit)
		y := top + height - height*limit/scale
		p.Limit, p.LimitY, p.LimitTextY = fmt.Sprintf("%s %s", limitName, grouped(int(limit))), num(y), num(y-4)
		p.Max, p.MaxY = grouped(int(math.Ceil(scale))), num(top+4)
	} else if limit > 0 {
		p.Title += fmt.Sprintf(" (%s %s)", limitName, grouped(int(limit)))
	}
	y := func(v float64) float64 { return top + height - height*max(0, min(1, v/scale)) }
	var b strings.Builder
	fmt.Fprintf(&b, "M%s %s", num(chartLeft), num(top+height))
	last, column, peak := 0.0, -1.0, 0.0
	flush := func() {
		if column >= 0 {
			if class == "flight" {
				fmt.Fprintf(&b, "V%s", num(y(peak)))
			} else {
				fmt.Fprintf(&b, "L%s %s", num(column), num(y(peak)))
			}
			if last != peak {
				fmt.Fprintf(&b, "V%s", num(y(last)))
			}
		}
	}
	for _, s := range steps {
		at := math.Floor(c.x(s.at))
		if at != column {
			flush()
			column, peak = at, 0
			if class == "flight" {
				fmt.Fprintf(&b, "H%s", num(at))
			}
		}
		peak, last = max(peak, s.value), s.value
	}
	flush()
	fmt.Fprintf(&b, "V%sZ", num(top+height))
	p.Path = b.String()
	return p
}

// waits are the times with nothing in flight that are long enough to be seen.
func (c *chart) waits() []chartBand {
	var bands []chartBand
	for _, w := range c.pauses() {
		x, width := c.x(w.at), chartWidth*w.value/c.end
		if width < 3 {
			continue
		}
		b := chartBand{X: num(x), Width: num(width), TextX: num(x + width/2), Title: "waited " + took(w.value)}
		if width > 90 {
			b.Text = b.Title
		}
		if reason := c.reason(w); reason != "" {
			b.Title += ", for " + reason
			if width > 300 {
				b.Text = b.Title
			}
		}
		bands = append(bands, b)
	}
	return bands
}

// reason is what the run waited for during a pause, as far as it noted it.
func (c *chart) reason(pause point) string {
	for _, w := range c.known {
		if w.At < pause.at+pause.value && w.At+w.Seconds > pause.at {
			return clean.Line(cut(w.Reason, longestTitle))
		}
	}
	return ""
}

// pauses are the times between requests with nothing in flight: when they
// began, and how long they were.
func (c *chart) pauses() []point {
	var pauses []point
	until := 0.0
	for i, e := range c.all {
		if i > 0 && e.At-until > 0.05 {
			pauses = append(pauses, point{until, e.At - until})
		}
		until = max(until, e.At+e.Seconds)
	}
	return pauses
}

// ticks are about eight round times.
func (c *chart) ticks() []chartMark {
	step := 3600.0
	for step*8 < c.end {
		step *= 2
	}
	for _, s := range []float64{0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800} {
		if s*8 >= c.end {
			step = s
			break
		}
	}
	var ticks []chartMark
	for i := 0; float64(i)*step <= c.end; i++ {
		t := float64(i) * step
		text := fmt.Sprintf("%g s", math.Round(t*100)/100)
		if step >= 60 {
			text = fmt.Sprintf("%g min", t/60)
		}
		ticks = append(ticks, chartMark{X: num(c.x(t)), Text: text})
	}
	return ticks
}

// caption says in words what the picture shows.
func (c *chart) caption(most float64, drawn int) string {
	s := fmt.Sprintf("%s, at most %d in flight at once", count(len(c.all), "request"), int(most))
	waited, longest := 0.0, 0.0
	for _, w := range c.pauses() {
		waited += w.value
		longest = max(longest, w.value)
	}
	if waited > 0.1 {
		s += fmt.Sprintf("; %s with nothing in flight, the longest pause %s", took(waited), took(longest))
	}
	odd := 0
	for _, e := range c.all {
		if e.Result != answered {
			odd++
		}
	}
	if odd == 0 {
		s += "; none was refused or lost"
	} else {
		s += fmt.Sprintf("; %d refused or lost", odd)
	}
	if drawn < len(c.all) {
		s += fmt.Sprintf("; bars of %s of them", grouped(drawn))
	}
	return s + "."
}
