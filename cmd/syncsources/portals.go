package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"syncsources/bitrix/rest"
	"syncsources/cmd/syncsources/exit"
	"syncsources/cmd/syncsources/option"
	"syncsources/manifest"
	"syncsources/schema"
)

// portalsFlags say that a run is about the portals of a file, and about which
// of them.
type portalsFlags struct {
	file     string
	names    []string
	shard    shard
	parallel int
}

// add adds the flags that choose portals.
func (p *portalsFlags) add(set *pflag.FlagSet) {
	option.Add(set, &p.file, "portals", "FILE", "", "run against the portals of this file, with its manifests and credentials", option.Path("a portals file"))
	option.AddList(set, &p.names, "portal", "NAME|GLOB", "only the portals with this name; * matches any characters, ? any one", option.Text("the name of a portal, or a pattern"))
	option.Add(set, &p.shard, "shard", "I/N", "", "only the portals whose name falls to shard I of N; auto/N takes the number of a Kubernetes Indexed Job's pod", parseShard)
}

// addParallel adds the flag that says how many portals run at a time.
func (p *portalsFlags) addParallel(set *pflag.FlagSet) {
	option.Add(set, &p.parallel, "parallel", "N", "64", "maximum number of portals that run side by side", option.Integer(1, 10_000))
}

// pathsOrPortals demands paths of manifests or a portals file, and not both. It
// is called when variables have set their flags.
func (p *portalsFlags) pathsOrPortals(cmd *cobra.Command, paths []string) error {
	switch {
	case p.file == "":
		if err := p.alone(cmd); err != nil {
			return err
		}
		return atLeastOnePath(cmd, paths)
	case len(paths) > 0:
		return exit.Refuse(exit.CodeCommandLine, fmt.Sprintf("%s takes either --portals or paths, but got %q as well", cmd.Name(), paths[0]),
			"the portals file names the manifests of each portal")
	}
	return nil
}

// alone refuses flags that have no effect without --portals. --parallel counts
// where the command line has it: its variable may be set for many runs.
func (p *portalsFlags) alone(cmd *cobra.Command) error {
	parallel := false
	cmd.Flags().Visit(func(f *pflag.Flag) { parallel = parallel || f.Name == "parallel" })
	for flag, given := range map[string]bool{"portal": len(p.names) > 0, "shard": p.shard.of > 0, "parallel": parallel} {
		if p.file == "" && given {
			return exit.Refuse(exit.CodeCommandLine, fmt.Sprintf("flag --%s: it needs a portals file", flag), "name the file with --portals FILE")
		}
	}
	return nil
}

// loaded is a portals file with the portals that are selected.
type loaded struct {
	file     *manifest.Portals
	selected []*manifest.PortalConfig
	shard    shard // the zero shard without --shard
}

// read reads the portals file.
func (p *portalsFlags) read(ctx context.Context) (*manifest.Portals, []*manifest.Finding, error) {
	type result struct {
		file     *manifest.Portals
		findings []*manifest.Finding
	}
	r, err := obeying(ctx, func() (result, error) {
		file, findings, err := manifest.LoadPortals(p.file, manifest.PortalsOptions{Check: schema.CheckPortals, Host: portalHost})
		if err != nil {
			return result{}, exit.Refuse(exit.CodeUnreadable, err.Error())
		}
		return result{file, findings}, nil
	})
	return r.file, r.findings, err
}

// load reads the portals file and selects. Its findings are those of the file;
// with any, none of its portals is selected.
func (p *portalsFlags) load(ctx context.Context, a *app) (*loaded, []*manifest.Finding, error) {
	file, findings, err := p.read(ctx)
	l := &loaded{file: file}
	if err != nil || len(findings) > 0 {
		return l, findings, err
	}
	if l.shard, err = p.shard.resolve(a.env); err != nil {
		return nil, nil, err
	}
	fits := make([]bool, len(p.names))
	var names []string
	for i := range file.Portals {
		config := &file.Portals[i]
		names = append(names, config.Name)
		wanted := len(p.names) == 0
		for j, pattern := range p.names {
			if manifest.Match(pattern, config.Name) {
				wanted, fits[j] = true, true
			}
		}
		if wanted && l.shard.has(config.Name) {
			l.selected = append(l.selected, config)
		}
	}
	if i := slices.Index(fits, false); i >= 0 {
		return nil, nil, exit.Refuse(exit.CodeCommandLine, fmt.Sprintf("--portal %q matches no portal of %s", p.names[i], p.file),
			didYouMean(p.names[i], names, "write the name of a portal in the file, or a pattern"))
	}
	return l, nil, nil
}

// portalHost is the host of a portal's address, with its port where that is not
// the usual one: the name of a portal that has none of its own.
func portalHost(address string) string {
	host := rest.HostPort(address)
	for scheme, port := range map[string]string{"https://": ":443", "http://": ":80"} {
		if strings.HasPrefix(strings.ToLower(address), scheme) {
			host = strings.TrimSuffix(host, port)
		}
	}
	return host
}

// portalsInputs are a portals file and the files that its portals name: none may
// be replaced by what a run writes.
func portalsInputs(path string, file *manifest.Portals) (paths []string, further []input) {
	further = append(further, input{path, "the portals file"})
	if file.Store != nil {
		further = append(further, input{file.Store.File, "a file with credentials"})
	}
	for i := range file.Portals {
		p := &file.Portals[i]
		paths = append(paths, p.Manifests...)
		further = append(further, input{p.EnvFile, "a file of variables"}, input{p.Credentials.TokenFile, "a token file"})
		for _, c := range []*manifest.Credential{p.Credentials.WebhookURL, p.Credentials.AccessToken, p.Credentials.ClientID, p.Credentials.ClientSecret, p.Credentials.RefreshToken} {
			if c != nil {
				further = append(further, input{c.File, "a file with credentials"})
			}
		}
	}
	return paths, further
}
