package bitrix

import (
	"errors"
	"net/http"
	"net/http/httptrace"
	"testing"
	"testing/synctest"
	"time"
)

// A portal that accepts requests and answers nothing is waited for 20 s, by all
// requests together; its first byte gives each of them its own time limit.
func TestSilentPortal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		byteAfter := time.Duration(0)
		c := testClient(t, roundTrip(func(req *http.Request) (*http.Response, error) {
			if byteAfter > 0 {
				time.Sleep(byteAfter)
				httptrace.ContextClientTrace(req.Context()).GotFirstResponseByte()
			}
			<-req.Context().Done()
			return nil, req.Context().Err()
		}))
		start := time.Now()
		go func() {
			time.Sleep(12 * time.Second)
			if e := oneUpdate(c); !errors.Is(e, errSilent) || time.Since(start) != patience {
				t.Errorf("the second request: %v after %v", e, time.Since(start))
			}
		}()
		if e := oneUpdate(c); !errors.Is(e, errSilent) || time.Since(start) != patience {
			t.Errorf("the first request: %v after %v", e, time.Since(start))
		}
		synctest.Wait()
		start, byteAfter = time.Now(), time.Second
		if e := oneUpdate(c); errors.Is(e, errSilent) || time.Since(start) != DefaultTimeout {
			t.Errorf("one that drips: %v after %v", e, time.Since(start))
		}
		start, byteAfter = time.Now(), 0
		if e := oneUpdate(c); errors.Is(e, errSilent) || time.Since(start) != DefaultTimeout {
			t.Errorf("once it has answered: %v after %v", e, time.Since(start))
		}
	})
}
