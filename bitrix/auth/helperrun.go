package auth

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"time"

	"syncsources/bitrix/rest"
	"syncsources/bitrix/secret"
)

const helperTime = time.Minute

// run calls the program. It is not in the terminal's foreground, so that an
// interrupt, which is meant for us, does not end it while it stores.
func (h *TokenHelper) run(ctx context.Context, verb string, input []byte, secrets ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, helperTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, h.program, append(slices.Clone(h.args), verb)...)
	cmd.Env = append(os.Environ(), "B24_PORTAL_URL="+h.portal)
	cmd.WaitDelay = 5 * time.Second
	cmd.Stdin = bytes.NewReader(input)
	stdout, stderr := Bounded{Most: maxPair}, Bounded{Most: 4 << 10}
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	detach(cmd)
	err := cmd.Run()
	switch {
	case err == nil && stdout.Over:
		return nil, errors.New("its output is too long")
	case err == nil:
		return stdout.Kept.Bytes(), nil
	case ctx.Err() != nil:
		return nil, fmt.Errorf("%s took too long: %w", verb, ctx.Err())
	}
	if said := harmlessText(stderr.Kept.String(), stdout.Kept.Bytes(), secrets); said != "" {
		return nil, fmt.Errorf("%w: %s", err, said)
	}
	return nil, err
}

// tokenLike is a word as long as a token, which has 70 characters as a rule.
// What a helper says about its own failure, such as a trace of its commands,
// may repeat tokens that we have not seen.
var tokenLike = regexp.MustCompile(`[0-9A-Za-z_-]{32,}`)

// harmlessText takes the tokens out of what a helper says on standard error:
// those that it was given, those that it printed, and what looks like one.
func harmlessText(said string, printed []byte, secrets []string) string {
	if p, err := parsePair(printed, time.Time{}); err == nil {
		secrets = append(secrets, p.AccessToken.Plain(), p.RefreshToken.Plain())
	}
	return tokenLike.ReplaceAllString(rest.Scrub(secrets...).Text(said), secret.Mask)
}

// Bounded keeps the beginning of what a program prints, and swallows the rest.
// The buffer's own ReadFrom, which knows no limit, is hidden.
type Bounded struct {
	Kept bytes.Buffer
	Most int  // bytes that are kept
	Over bool // there were more
}

// Write keeps what fits.
func (b *Bounded) Write(p []byte) (int, error) {
	room := min(len(p), b.Most-b.Kept.Len())
	b.Over = b.Over || room < len(p)
	b.Kept.Write(p[:room])
	return len(p), nil
}
