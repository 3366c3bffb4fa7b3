package signin

import (
	"testing"

	"syncsources/cmd/syncsources/option"
)

func TestBrowserOnlyWhereOneIsSeen(t *testing.T) {
	if hasBrowser(option.NewEnvironment([]string{"SSH_CONNECTION=x"})) {
		t.Error("a browser is seen through ssh without a display")
	}
}
