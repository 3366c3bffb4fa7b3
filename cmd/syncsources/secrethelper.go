package main

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"time"

	"syncsources/bitrix/auth"
	"syncsources/bitrix/secret"
	"syncsources/cmd/syncsources/option"
)

// varSecretHelper names the program that {secret: KEY} is asked of: a path and
// arguments, separated by spaces. There is no shell, and a manifest chooses
// keys only.
const varSecretHelper = "SYNCSOURCES_SECRET_HELPER"

// Bounds of what a secret helper prints, in bytes.
const (
	maxSecrets = 16 << 20
	maxRemarks = 4 << 10
)

// secretLike is what may be a secret in what a helper says about its own
// failure, such as a trace of its commands.
var secretLike = regexp.MustCompile(`[0-9A-Za-z_+/=-]{20,}`)

// secretHelper asks the program of the environment for secrets; nil without
// one.
func secretHelper(e option.Environment) func(ctx context.Context, keys []byte) ([]byte, error) {
	words := strings.Fields(e.Get(varSecretHelper))
	if len(words) == 0 {
		return nil
	}
	return func(ctx context.Context, keys []byte) ([]byte, error) {
		cmd := exec.CommandContext(ctx, words[0], words[1:]...)
		cmd.WaitDelay = time.Second // a child of it may hold the pipes open
		for name, value := range e.All() {
			cmd.Env = append(cmd.Env, name+"="+value)
		}
		slices.Sort(cmd.Env)
		out, remarks := &auth.Bounded{Most: maxSecrets}, &auth.Bounded{Most: maxRemarks}
		cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(keys), out, remarks
		err := cmd.Run()
		switch {
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case err != nil:
			if said := strings.TrimSpace(secretLike.ReplaceAllString(remarks.Kept.String(), secret.Mask)); said != "" {
				err = fmt.Errorf("%w: %s", err, said)
			}
			return nil, err
		case out.Over:
			return nil, fmt.Errorf("it printed more than %d MiB", maxSecrets>>20)
		}
		return out.Kept.Bytes(), nil
	}
}
