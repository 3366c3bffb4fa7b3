package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"syncsources/bitrix/sandbox"
	"syncsources/cmd/syncsources/exit"
	"syncsources/cmd/syncsources/option"
)

// sandboxAddress is the portal's address in a run against the in-process
// sandbox. Nothing can be reached under it (RFC 2606).
const sandboxAddress = "https://sandbox.invalid"

// newSandbox builds the command that serves the stand-in portal.
func newSandbox(a *app) *cobra.Command {
	var listen, stateFile string
	var quiet, secure bool
	cmd := &cobra.Command{
		Use:   "sandbox",
		Short: "Serve the sandbox, a stand-in portal for trying things out",
		Long: `Serve the sandbox, a stand-in portal, over HTTP until interrupted. It answers the
methods of BIconnector connectors, sources and tables as a Bitrix24 portal does:
errors inside results, limits, slow updates. What it holds comes from a state file
and is gone when it ends; without a file it starts empty.

Standard output says how to reach it and, with --tls, how clients learn to trust
it; standard error gets a line for each request.`,
		Example: "  syncsources sandbox --state examples/sandbox.yaml\n  syncsources sandbox --tls",
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			portal, err := openSandbox(cmd.Context(), stateFile)
			if err != nil {
				return err
			}
			defer func() { _ = portal.Close() }()
			if !quiet {
				portal.SetAccessLog(a.stderr)
			}
			return a.serve(cmd.Context(), listen, secure, portal)
		},
	}
	option.Add(cmd.Flags(), &listen, "listen", "ADDRESS", "127.0.0.1:8924", "host and port to listen on; port 0 takes a free one", option.Address)
	option.Add(cmd.Flags(), &stateFile, "state", "FILE", "", "the state file that the portal starts from", option.Path("a state file"))
	cmd.Flags().BoolVar(&secure, "tls", false, "serve https with a certificate made at startup")
	cmd.Flags().BoolVar(&quiet, "quiet", false, "do not log each request")
	return cmd
}

// openSandbox makes the portal that a state file describes, an empty one
// without a file.
func openSandbox(ctx context.Context, stateFile string) (*sandbox.Portal, error) {
	state := new(sandbox.State)
	if stateFile != "" {
		var err error
		state, err = obeying(ctx, func() (*sandbox.State, error) {
			state, err := sandbox.LoadFile(stateFile)
			if err != nil {
				return nil, exit.Refuse(exit.CodeState, "the sandbox's state: "+err.Error())
			}
			return state, nil
		})
		if err != nil {
			return nil, err
		}
	}
	state.Redirect = cmp.Or(state.Redirect, "http://"+returnAddress+"/")
	state.KeepCalls = -1 // nothing here asks for them, and a sandbox may run for days
	portal, err := sandbox.New(state)
	if err != nil {
		return nil, exit.Refuse(exit.CodeState, err.Error())
	}
	return portal, nil
}

// serve answers requests until ctx ends, which is how a sandbox is meant to
// end: it is no error.
func (a *app) serve(ctx context.Context, address string, secure bool, portal *sandbox.Portal) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return exit.Refuse(exit.CodeCommandLine, fmt.Sprintf("cannot listen on %s: %v", address, err), "another address can be given with --listen, 127.0.0.1:0 for a free port")
	}
	scheme, trust := "http://", ""
	if secure {
		scheme = "https://"
		var forget func()
		if listener, trust, forget, err = encrypted(listener, address); err != nil {
			return &exit.Failure{Exit: exit.Stopped, Code: exit.CodeOutput, Message: fmt.Sprintf("cannot make a certificate: %v", err)}
		}
		defer forget()
	}
	if err := portal.Describe(a.stdout, scheme+listener.Addr().String(), trust); err != nil {
		_ = listener.Close()
		return exit.Unwritten(err)
	}
	if err := portal.Serve(ctx, listener); err != nil {
		return &exit.Failure{Exit: exit.Stopped, Code: exit.CodeOutput, Message: fmt.Sprintf("the sandbox stopped: %v", err)}
	}
	return nil
}

// encrypted makes a listener one of TLS, with a certificate for its address.
// The certificate's file is there until forget is called.
func encrypted(plain net.Listener, address string) (l net.Listener, file string, forget func(), err error) {
	host, _, _ := net.SplitHostPort(address)
	cert, pem, err := sandbox.NewCertificate(host)
	if err != nil {
		return nil, "", nil, errors.Join(err, plain.Close())
	}
	dir, err := os.MkdirTemp("", "syncsources-sandbox-")
	if err != nil {
		return nil, "", nil, errors.Join(err, plain.Close())
	}
	forget = func() { _ = os.RemoveAll(dir) }
	file = filepath.Join(dir, "certificate.pem")
	if err := os.WriteFile(file, pem, 0o644); err != nil {
		forget()
		return nil, "", nil, errors.Join(err, plain.Close())
	}
	return tls.NewListener(plain, &tls.Config{Certificates: []tls.Certificate{cert}}), file, forget, nil
}
