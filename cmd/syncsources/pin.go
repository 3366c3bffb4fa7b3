package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"syncsources/bitrix"
	"syncsources/cmd/syncsources/exit"
	"syncsources/cmd/syncsources/option"
	"syncsources/manifest"
	"syncsources/runner"
	"syncsources/runner/render"
	"syncsources/runner/render/clean"
)

type pinFlags struct {
	log     logFlags
	limits  limits
	sandbox string
	noColor bool
	check   bool
	timeout time.Duration
}

// newPin builds the command that writes the ids of live objects into manifests.
func newPin(a *app) *cobra.Command {
	var f pinFlags
	cmd := &cobra.Command{
		Use:   "pin PATH...",
		Short: "Write the ids of live objects into manifests",
		Long: `Find the live object of each declared connector and source that has no id, and
write its id into the manifest. From then on the object keeps its identity when
its title changes. Nothing else in the files changes: comments, order and quotes
stay.

Objects that do not exist yet get no id: run pin again after the apply that
creates them. Tables have none: their name is their identity.

` + credentialsHelp,
		Example: "  syncsources pin manifests/\n  syncsources pin --check manifests/",
		Args:    atLeastOnePath,
		RunE: func(cmd *cobra.Command, paths []string) error {
			return a.pin(cmd.Context(), &f, paths)
		},
	}
	set := cmd.Flags()
	option.AddGroup(set, option.Selection, func(set *pflag.FlagSet) { addSandbox(set, &f.sandbox) })
	option.AddGroup(set, option.Safety, func(set *pflag.FlagSet) {
		set.BoolVar(&f.check, "check", false, "write nothing, and exit with 2 if ids are missing")
	})
	option.AddGroup(set, option.Output, func(set *pflag.FlagSet) {
		set.BoolVar(&f.noColor, "no-color", false, "no colour in messages, like the variable NO_COLOR")
		f.log.add(set)
	})
	option.AddGroup(set, option.Limits, func(set *pflag.FlagSet) {
		option.Add(set, &f.timeout, "timeout", "DURATION", "30m", "time limit of the whole run", option.Duration)
		f.limits.add(set)
	})
	return cmd
}

// pin finds what the declarations without an id mean, and writes the ids.
func (a *app) pin(signalled context.Context, f *pinFlags, paths []string) error {
	ctx, cancel := context.WithTimeout(signalled, f.timeout)
	defer cancel()
	if slices.Contains(paths, "-") && !f.check {
		return exit.Refuse(exit.CodeCommandLine, "pin cannot write to standard input", "name the file, or use --check")
	}
	set, findings, err := a.load(ctx, paths, nil)
	if err != nil {
		return err
	}
	logger := a.newLogger(&f.log, f.noColor)
	var portal *connection
	if len(findings) == 0 {
		if portal, err = a.connect(ctx, f.sandbox, logger); err != nil {
			return err
		}
		defer portal.close()
		if f.sandbox == "" {
			findings = otherPortals(set.Portals, portal.credentials.Portal(), "pin the manifests of each portal with its own credentials")
		}
	}
	if len(findings) > 0 {
		a.printFindings(runner.Invalid("pin", findings).Findings, f.noColor, &f.log)
		return exit.Err(exit.Invalid)
	}
	client := bitrix.NewReader(portal.config(logger, f.limits))
	defer client.CloseIdle()
	live, report := runner.List(ctx, client, runner.Options{Schedule: f.limits.schedule(), Logger: logger})
	if report.Error != nil {
		fillHints(report)
		a.printRunError(render.One(report), f.noColor, &f.log)
		return exit.Err(exit.Of(ctx, report.Outcome, false))
	}
	p := newPins(set, live)
	code := exit.OK
	for _, m := range p.unclear {
		code = exit.Failed
		a.printFailure(&exit.Failure{Code: m.Failure.Code, Message: fmt.Sprintf("%s: %s %q: %s", m.Declared.Position, m.Kind, m.Declared.Name, m.Failure.Message), Hints: []string{m.Failure.Hint}}, &f.log)
	}
	switch {
	case f.check && len(p.missing) > 0:
		code = exit.Higher(code, exit.Changes)
	case !f.check:
		refused, err := p.write()
		if err != nil {
			return exit.Unwritten(err)
		}
		if len(refused) > 0 {
			code = exit.Failed
			a.printFindings(runner.Invalid("pin", refused).Findings, f.noColor, &f.log)
		}
	}
	if _, err := io.WriteString(a.stdout, p.text(f.check)); err != nil {
		return exit.Unwritten(err)
	}
	return exit.Err(code)
}

// pins are the ids that manifests lack.
type pins struct {
	missing []runner.Match // of objects that exist
	unclear []runner.Match // of which nobody knows which live object they are
	absent  int            // objects that do not exist yet
	// referred holds the kinds and names by which manifests refer to objects.
	referred map[string]bool
}

func newPins(set *manifest.Set, live runner.Live) *pins {
	p := &pins{referred: map[string]bool{}}
	for i := range set.Sources {
		p.referred[string(runner.KindConnector)+" "+set.Sources[i].Connector.Name] = true
	}
	for i := range set.Tables {
		p.referred[string(runner.KindSource)+" "+set.Tables[i].Source.Name] = true
	}
	for _, m := range runner.Compare(set, live, runner.Choices{}).Matches() {
		switch {
		case m.Declared.ID != 0 || m.Kind == runner.KindTable:
		case m.Failure != nil && (m.Failure.Code == runner.CodeAmbiguous || m.Failure.Code == runner.CodeUncleanText):
			p.unclear = append(p.unclear, m)
		case m.ID != 0:
			p.missing = append(p.missing, m)
		default:
			p.absent++
		}
	}
	return p
}

// write writes the ids into the files. What cannot be edited safely is refused
// and not missing any more.
func (p *pins) write() (refused []*manifest.Finding, err error) {
	files := map[string][]manifest.ID{}
	for _, m := range p.missing {
		at := m.Declared.Position
		files[at.File] = append(files[at.File], manifest.ID{Position: at, ID: m.ID, Referred: p.referred[string(m.Kind)+" "+m.Declared.Name]})
	}
	for _, file := range slices.Sorted(maps.Keys(files)) {
		data, err := os.ReadFile(file)
		if err != nil {
			return refused, err
		}
		edited, why := manifest.Pin(file, data, files[file])
		refused = append(refused, why...)
		err = render.ReplaceFile("manifest", file, 0, func(w io.Writer) error {
			_, err := w.Write(edited)
			return err
		})
		if err != nil {
			return refused, err
		}
	}
	p.missing = slices.DeleteFunc(p.missing, func(m runner.Match) bool {
		return slices.ContainsFunc(refused, func(f *manifest.Finding) bool { return f.Position == m.Declared.Position })
	})
	return refused, nil
}

// text lists the ids, with a last line that counts them.
func (p *pins) text(check bool) string {
	var b strings.Builder
	for _, m := range p.missing {
		fmt.Fprintf(&b, "%s: %s %q: id: %d\n", clean.Line(m.Declared.Position.String()), m.Kind, clean.Line(m.Declared.Name), m.ID)
	}
	verb := "written"
	if check {
		verb = "missing"
	}
	fmt.Fprintf(&b, "%s %s", plural(len(p.missing), "id"), verb)
	switch {
	case p.absent == 1:
		b.WriteString("; 1 object does not exist yet")
	case p.absent > 1:
		fmt.Fprintf(&b, "; %d objects do not exist yet", p.absent)
	}
	b.WriteString(".\n")
	return b.String()
}
