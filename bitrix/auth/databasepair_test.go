package auth

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jackc/pgx/v5"

	"syncsources/bitrix/rest"
	"syncsources/bitrix/secret"
)

// otherKey is another key than key.
var otherKey = base64.StdEncoding.EncodeToString([]byte("another key, another key, 32 by."))

// machine opens a database as one machine does.
func machine(t *testing.T, c shared) *Database {
	t.Helper()
	d := must(OpenDatabase(DatabaseConfig{URL: secret.New(c.URL), Key: secret.New(c.Key), OldKey: secret.New(c.OldKey)}))(t)
	t.Cleanup(d.Close)
	return d
}

// acme is the store of the pair of one portal.
func (d *Database) acme() TokenStore { return d.Tokens("https://acme.example", "local.1") }

// atHome is one machine at a database of the test's own, with a pair for one
// portal.
type atHome struct {
	shared
	server *strict
	d      *Database
	store  TokenStore
	pair   Pair
}

func home(t *testing.T) *atHome {
	t.Helper()
	h := &atHome{shared: shared{URL: testDatabase(t), Key: key}, server: newStrict(t)}
	h.Server = h.server.URL
	h.d = machine(t, h.shared)
	h.store = h.d.acme()
	h.pair = storePair(t, h.store, h.server, "acme.example")
	return h
}

// renew asks for another token than that of the pair.
func (h *atHome) renew(store TokenStore) (string, error) {
	return h.shared.renew(context.Background(), store, "acme.example", h.pair.AccessToken.Plain())
}

// storePair logs in.
func storePair(t *testing.T, store TokenStore, server *strict, portal string) Pair {
	t.Helper()
	p := server.issue(portal)
	check(t, StoreNew(context.Background(), store, "https://"+portal, func(context.Context) (Pair, error) { return p, nil }))
	return p
}

func TestDatabaseKeepsAPairForAPortalAndAClient(t *testing.T) {
	ctx := context.Background()
	c := shared{URL: testDatabase(t), Key: key}
	d, server := machine(t, c), newStrict(t)
	store := d.acme()
	if _, err := store.Load(ctx); !errors.Is(err, ErrNoPair) {
		t.Errorf("an empty store: %v", err)
	}
	p := storePair(t, store, server, "acme.example")
	got, err := machine(t, c).Tokens("https://ACME.example:443/", "local.1").Load(ctx)
	if err != nil || !got.same(p) || !got.Expires.Equal(p.Expires) {
		t.Errorf("on another machine: %v", err)
	}
	for _, other := range []TokenStore{d.Tokens("https://other.example", "local.1"), d.Tokens("https://acme.example", "local.2")} {
		if _, err := other.Load(ctx); !errors.Is(err, ErrNoPair) {
			t.Errorf("another portal or client: %v", err)
		}
	}
	if s := store.String(); !strings.HasPrefix(s, "the store postgres at 127.0.0.1:") || strings.Contains(s, "syncsources@") {
		t.Errorf("%s", s)
	}
}

// What is in the tables is of no use without the key, nor in another row.
func TestDatabaseEncryptsPairs(t *testing.T) {
	ctx := context.Background()
	h := home(t)
	conn := must(pgx.Connect(ctx, h.URL))(t)
	defer func() { _ = conn.Close(ctx) }()
	var dump string
	check(t, conn.QueryRow(ctx, `SELECT string_agg(t::text || encode(pair, 'escape'), '') FROM syncsources_pairs t`).Scan(&dump))
	if strings.Contains(dump, "access-") || strings.Contains(dump, h.pair.RefreshToken.Plain()) || strings.Contains(dump, "https://") {
		t.Errorf("the table shows %s", dump)
	}
	must(conn.Exec(ctx, `INSERT INTO syncsources_pairs (portal, client, pair) SELECT replace(portal, 'acme', 'evil'), client, pair FROM syncsources_pairs`))(t)
	for name, store := range map[string]TokenStore{
		"a row that was copied to another portal": h.d.Tokens("https://evil.example", "local.1"),
		"another key": machine(t, shared{URL: h.URL, Key: otherKey}).acme(),
	} {
		_, err := store.Load(ctx)
		var e *rest.Error
		if !errors.As(err, &e) || e.Code != rest.NoToken || e.Reason != StoreKeyWrong || !strings.Contains(e.Message, "cannot decrypt") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A machine with the wrong key must not put a pair in the place of one that
// the others can read.
func TestDatabaseLoginWithAnotherKey(t *testing.T) {
	h := home(t)
	err := StoreNew(context.Background(), machine(t, shared{URL: h.URL, Key: otherKey}).acme(), "https://acme.example",
		func(context.Context) (Pair, error) { return h.server.issue("acme.example"), nil })
	var e *rest.Error
	if !errors.As(err, &e) || e.Reason != StoreKeyWrong {
		t.Errorf("%v", err)
	}
	if got, err := h.store.Load(context.Background()); err != nil || !got.same(h.pair) {
		t.Errorf("the pair was replaced: %v", err)
	}
}

// A rotation: the new key seals, the old one still opens, and reading a pair
// is enough to make the old key unnecessary.
func TestDatabaseKeyRotation(t *testing.T) {
	ctx := context.Background()
	h := home(t)
	for _, c := range []shared{{URL: h.URL, Key: otherKey, OldKey: key}, {URL: h.URL, Key: otherKey}} {
		if got, err := machine(t, c).acme().Load(ctx); err != nil || !got.same(h.pair) {
			t.Errorf("%v", err)
		}
	}
	if _, err := h.store.Load(ctx); err == nil {
		t.Error("the old key still opens the pair")
	}
}

// Who encrypts a pair with the new key does not put it over one that has been
// stored meanwhile.
func TestDatabaseKeyRotationBesideARenewal(t *testing.T) {
	ctx := context.Background()
	h := home(t)
	rotating := machine(t, shared{URL: h.URL, Key: otherKey, OldKey: key}).acme().(*databasePair)
	read := must(rotating.read(ctx, rotating.d.pool, selectPair))(t)
	newer := storePair(t, h.store, h.server, "acme.example")
	rotating.rekey(ctx, read, h.pair)
	if got, err := h.store.Load(ctx); err != nil || !got.same(newer) {
		t.Errorf("the newer pair is gone: %v", err)
	}
}

// One renewal for each portal, whoever asks: eight machines renew all at once.
func TestDatabaseRenewsOncePerPortal(t *testing.T) {
	portals := 40
	if machinesRounds(t) > shortRounds {
		portals = 1000
	}
	c := shared{URL: testDatabase(t), Key: key}
	server := newStrict(t)
	c.Server = server.URL
	d := machine(t, c)
	var o order
	for i := range portals {
		portal := "p" + strings.Repeat("x", i%3) + string(rune('a'+i%26)) + rest.Clean(time.Duration(i).String()) + ".example"
		p := storePair(t, d.Tokens("https://"+portal, "local.1"), server, portal)
		o.Portals, o.Rejected = append(o.Portals, portal), append(o.Rejected, p.AccessToken.Plain())
	}
	workers, configs := []*worker{}, []shared{}
	for range 8 {
		workers, configs = append(workers, startWorker(t, c)), append(configs, c)
	}
	start := time.Now()
	outcomes, died := all(t, workers, configs, o)
	took := time.Since(start)
	if died > 0 {
		t.Fatalf("%d machines died", died)
	}
	for i, portal := range o.Portals {
		ch := server.chain(portal)
		if ch.renewals != 1 || ch.refused != 0 {
			t.Errorf("%s: %d renewals, %d refused", portal, ch.renewals, ch.refused)
		}
		stored, err := d.Tokens("https://"+portal, "local.1").Load(context.Background())
		if err != nil || !server.valid(stored) {
			t.Errorf("%s: the pair is lost: %v", portal, err)
		}
		for _, out := range outcomes {
			if out.Errors[i] != "" || out.Tokens[i] != stored.AccessToken.Plain() {
				t.Errorf("%s: a machine got %q, %s", portal, out.Tokens[i], out.Errors[i])
			}
		}
	}
	t.Logf("%d portals, 8 machines, %d renewals wanted at once: %v", portals, 8*portals, took)
}

// A machine that dies in the middle of a renewal: before the request nothing
// is lost, after the commit nothing either; in between the answer is lost with
// the machine, and the next one says which machine that was.
func TestDatabaseRenewalCutOff(t *testing.T) {
	for point, lost := range map[string]bool{"prepared": false, "answered": true, "written": true} {
		t.Run(point, func(t *testing.T) {
			h := home(t)
			dying := h.shared
			dying.DieAt = point
			w := startWorker(t, dying)
			if _, alive := w.do(order{Portals: []string{"acme.example"}, Rejected: []string{h.pair.AccessToken.Plain()}}); alive {
				t.Fatal("it lives")
			}
			token, err := h.renew(h.store)
			if !lost {
				if err != nil || token == h.pair.AccessToken.Plain() || h.server.chain("acme.example").renewals != 1 {
					t.Errorf("%v", err)
				}
				return
			}
			if !errors.Is(err, rest.Code("invalid_grant")) || !strings.Contains(err.Error(), "began to renew it at ") || !strings.Contains(err.Error(), "was cut off") {
				t.Errorf("%v", err)
			}
		})
	}
}

// The connection is dropped while the new pair is written: it is stored all
// the same, once, whether the commit had been lost or only its answer.
func TestDatabaseConnectionDropped(t *testing.T) {
	for _, point := range []string{"prepared", "answered", "written"} {
		t.Run(point, func(t *testing.T) {
			h, dropped := home(t), 0
			h.d.hook = func(at string) {
				if at == point && dropped == 0 {
					dropped++
					endConnections(t, h.URL)
				}
			}
			token, err := h.renew(h.store)
			stored, loadErr := h.store.Load(context.Background())
			if err != nil || loadErr != nil || !h.server.valid(stored) || stored.AccessToken.Plain() != token || dropped != 1 || h.server.chain("acme.example").renewals != 1 {
				t.Errorf("%v, %v, dropped %d times", err, loadErr, dropped)
			}
		})
	}
}

// After a failover the old address may lead to a standby: it is read-only, and
// nothing is renewed.
func TestDatabaseReadOnlyAfterFailover(t *testing.T) {
	h := home(t)
	standby := shared{URL: h.URL + "&default_transaction_read_only=on", Key: key}
	_, err := h.renew(machine(t, standby).acme())
	var e *rest.Error
	if !errors.As(err, &e) || e.Code != rest.NoToken || e.Reason != StoreDown || !strings.Contains(e.Message, "read-only") || !strings.Contains(e.Message, "nothing was renewed") {
		t.Errorf("%v", err)
	}
	if ch := h.server.chain("acme.example"); ch.renewals+ch.refused != 0 {
		t.Errorf("the authorization server was asked: %+v", ch)
	}
	// A server that becomes one between the answer and the commit is waited for.
	// Here it is one for a user of its own, so that other tests are not.
	user := "user_" + strings.ToLower(rand.Text())
	query(t, h.URL, `CREATE ROLE `+user+` LOGIN SUPERUSER`)
	t.Cleanup(func() {
		query(t, h.URL, `REASSIGN OWNED BY `+user+` TO CURRENT_USER`)
		query(t, h.URL, `DROP ROLE `+user)
	})
	u := must(url.Parse(h.URL))(t)
	u.User = url.User(user)
	d := machine(t, shared{URL: u.String(), Key: key})
	d.hook = func(at string) {
		if at == "answered" {
			query(t, h.URL, `ALTER ROLE `+user+` SET default_transaction_read_only = on`)
			endConnections(t, h.URL)
			time.AfterFunc(time.Second, func() { query(t, h.URL, `ALTER ROLE `+user+` RESET default_transaction_read_only`) })
		}
	}
	if _, err := h.renew(d.acme()); err != nil {
		t.Error(err)
	}
	if stored, err := h.store.Load(context.Background()); err != nil || !h.server.valid(stored) {
		t.Errorf("the pair is lost: %v", err)
	}
}

// A store that is down is told as such, and in time.
func TestDatabaseDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := machine(t, shared{URL: "postgres://user:canary@127.0.0.1:1/db?connect_timeout=1", Key: key})
		start := time.Now()
		_, err := d.acme().Load(context.Background())
		var e *rest.Error
		if !errors.As(err, &e) || e.Code != rest.NoToken || e.Reason != StoreDown || !strings.Contains(e.Message, "no connection: ") || strings.Contains(e.Message, "canary") {
			t.Errorf("%v", err)
		}
		if took := time.Since(start); took != 3*time.Second {
			t.Errorf("it was tried for %v", took)
		}
	})
}

// The connection, and with it the lock, is lost before the new pair is stored,
// and somebody logs in meanwhile: the pair of that login is the newer one.
func TestDatabaseLoginDuringALostConnection(t *testing.T) {
	h := home(t)
	var login Pair
	h.d.hook = func(at string) {
		if at == "answered" && login.fields == nil {
			endConnections(t, h.URL)
			login = storePair(t, machine(t, h.shared).acme(), h.server, "acme.example")
		}
	}
	token, err := h.renew(h.store)
	stored, loadErr := h.store.Load(context.Background())
	if err != nil || loadErr != nil || !stored.same(login) || token != login.AccessToken.Plain() || !h.server.valid(stored) {
		t.Errorf("%v, %v: the token is %q", err, loadErr, token)
	}
}
