package auth

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"syncsources/bitrix/rest"
)

// databasePair is the pair of one portal and one application in a Database.
type databasePair struct {
	d              *Database
	portal, client string
}

// Tokens returns the store of the pair of an application at a portal.
func (d *Database) Tokens(portal, clientID string) TokenStore {
	return &databasePair{d: d, portal: rest.HostPort(portal), client: clientID}
}

// String returns "the store bi at db.internal:5432".
func (t *databasePair) String() string { return t.d.String() }

// owner is what an encrypted pair is bound to.
func (t *databasePair) owner() string { return t.portal + "\x00" + t.client }

type row struct {
	sealed  []byte
	version int64
	began   *time.Time
	by      *string
}

// pair decrypts the row's pair.
func (t *databasePair) pair(r row) (Pair, error) {
	if len(r.sealed) == 0 {
		return Pair{}, ErrNoPair
	}
	content, outdated, err := t.d.sealer.open(r.sealed, t.owner())
	if err != nil {
		return Pair{}, because(StoreKeyWrong, storeFailure(fmt.Sprintf("cannot decrypt the token pair in %s", t), "", err))
	}
	p, err := parsePair(content, time.Time{})
	if err != nil {
		return Pair{}, storeFailure(fmt.Sprintf("the token pair in %s is broken", t), "", err)
	}
	p.outdated = outdated
	if r.began != nil && r.by != nil {
		p.begun = fmt.Sprintf("%s began to renew it at %s", rest.Clean(*r.by), r.began.UTC().Format(time.RFC3339))
	}
	return p, nil
}

const selectPair = `SELECT pair, version, renewal_began, renewal_by FROM syncsources_pairs WHERE portal = $1 AND client = $2`

func (t *databasePair) read(ctx context.Context, q querier, sql string) (r row, err error) {
	err = q.QueryRow(ctx, sql, t.portal, t.client).Scan(&r.sealed, &r.version, &r.began, &r.by)
	if errors.Is(err, pgx.ErrNoRows) {
		return row{}, nil
	}
	return r, err
}

// Load implements TokenStore. A pair that only the old key opens is encrypted
// with the new one in passing: after a run over all portals the old key is not
// needed any more.
func (t *databasePair) Load(ctx context.Context) (Pair, error) {
	var r row
	err := t.d.try(ctx, func(ctx context.Context) (err error) {
		ctx, cancel := context.WithTimeout(ctx, storeQueryTimeout)
		defer cancel()
		r, err = t.read(ctx, t.d.pool, selectPair)
		return err
	})
	if err != nil {
		return Pair{}, t.d.lookupFailure(ctx, err)
	}
	p, err := t.pair(r)
	if err == nil && p.outdated {
		t.rekey(ctx, r, p)
	}
	return p, err
}

func (t *databasePair) rekey(ctx context.Context, r row, p Pair) {
	ctx, cancel := context.WithTimeout(ctx, storeQueryTimeout)
	defer cancel()
	_, err := t.d.pool.Exec(ctx, `UPDATE syncsources_pairs SET pair = $3 WHERE portal = $1 AND client = $2 AND pair = $4`,
		t.portal, t.client, t.d.sealer.seal(p.encode(), t.owner()), r.sealed)
	if err != nil {
		t.d.log.Warn("cannot encrypt a token pair with the new key", "portal", t.portal, "error", t.d.reason(err))
		return
	}
	t.d.log.Info("encrypted a token pair with the new key", "portal", t.portal)
}

// lookupFailure makes the error of a store that could not be asked.
func (d *Database) lookupFailure(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return d.failure("cannot be asked for the token pair, so nothing was renewed", err)
}

// Lock implements TokenStore: it locks the pair's row in a transaction.
func (t *databasePair) Lock(ctx context.Context) (LockedStore, error) {
	patient, cancel := context.WithTimeout(ctx, lockPatience)
	defer cancel()
	l := &lockedRow{databasePair: t}
	if err := t.d.try(patient, l.begin); err != nil {
		if ctx.Err() == nil && patient.Err() != nil {
			return nil, storeFailure(fmt.Sprintf("another run keeps the token pair in %s locked for too long", t), "", nil)
		}
		return nil, t.d.lookupFailure(ctx, err)
	}
	return l, nil
}

type lockedRow struct {
	*databasePair
	conn     *pgxpool.Conn
	tx       pgx.Tx // nil: the connection was lost
	row      row
	replaces int64 // the version that Load returned
	prepared bool
}

// begin starts a transaction and locks the row, which it makes if there is
// none. A machine that vanishes without a word blocks the others until the
// server ends its transaction.
func (l *lockedRow) begin(ctx context.Context) (err error) {
	l.end()
	if l.conn, err = l.d.pool.Acquire(ctx); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			l.fail(err)
		}
	}()
	if l.tx, err = l.conn.Begin(ctx); err != nil {
		return err
	}
	if _, err = l.tx.Exec(ctx, fmt.Sprintf(`SET LOCAL idle_in_transaction_session_timeout = %d`, lockPatience.Milliseconds())); err != nil {
		return err
	}
	if _, err = l.tx.Exec(ctx, `INSERT INTO syncsources_pairs (portal, client) VALUES ($1, $2) ON CONFLICT DO NOTHING`, l.portal, l.client); err != nil {
		return err
	}
	l.row, err = l.read(ctx, l.tx, selectPair+` FOR UPDATE`)
	return err
}

// end rolls back what is open, and gives the connection back.
func (l *lockedRow) end() {
	if l.tx != nil {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		_ = l.tx.Rollback(ctx)
		cancel()
	}
	if l.conn != nil {
		l.conn.Release()
	}
	l.tx, l.conn = nil, nil
}

// fail ends it after an error. A connection to a standby is not used again: the
// next one may lead to the new primary.
func (l *lockedRow) fail(err error) {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok && l.conn != nil && pg.Code == codeReadOnly {
		_ = l.conn.Conn().Close(context.Background())
	}
	l.end()
}

func (l *lockedRow) commit(ctx context.Context) error {
	err := l.tx.Commit(ctx)
	l.tx = nil
	l.end()
	return err
}

func (l *lockedRow) Load(context.Context) (Pair, error) {
	l.replaces = l.row.version
	return l.pair(l.row)
}

// Prepare implements LockedStore. It commits the old pair, encrypted anew,
// with a note that a renewal has begun, and locks the row again. A server that
// is a standby, or whose disk is full, shows here.
func (l *lockedRow) Prepare(ctx context.Context, old Pair) error {
	host := newHolder()
	sealed := l.row.sealed
	if old.fields != nil && len(sealed) > 0 {
		sealed = l.d.sealer.seal(old.encode(), l.owner())
	}
	err := func() error {
		ctx, cancel := context.WithTimeout(ctx, storeQueryTimeout)
		defer cancel()
		if _, err := l.tx.Exec(ctx, `UPDATE syncsources_pairs SET pair = $3, renewal_began = clock_timestamp(), renewal_by = $4 WHERE portal = $1 AND client = $2`,
			l.portal, l.client, sealed, fmt.Sprintf("process %d on %s", host.PID, host.Host)); err != nil {
			return err
		}
		return l.commit(ctx)
	}()
	if err == nil {
		l.d.hook("prepared")
		waiting, cancel := context.WithTimeout(ctx, lockPatience)
		defer cancel()
		err = l.d.try(waiting, l.begin)
	}
	if err != nil {
		return l.d.failure("cannot store the old token pair, so no new one is requested; nothing is lost", err)
	}
	if l.row.version != l.replaces {
		return errNewer
	}
	l.prepared = true
	return nil
}

// storePatience is how long a new pair is offered to a store that fails: a
// failover takes half a minute.
const storePatience = 45 * time.Second

// Store implements LockedStore. Where it fails, by a lost connection for one,
// it looks for what became of the pair, and stores it again if need be.
func (l *lockedRow) Store(ctx context.Context, p Pair) error {
	l.d.hook("answered")
	content, err := p.encode(), error(nil)
	trying, cancel := context.WithTimeout(ctx, storePatience)
	defer cancel()
	for pause := 100 * time.Millisecond; ; pause = min(2*pause, 5*time.Second) {
		err = l.put(trying, content)
		if err == nil || errors.Is(err, errNewer) {
			return err
		}
		if sleep(trying, pause) != nil {
			break
		}
		l.d.log.Warn("the new token pair is not stored yet; trying again", "store", l.String(), "error", l.d.reason(err))
	}
	path, rescueErr := rescue(p)
	if rescueErr != nil {
		return storeFailure(fmt.Sprintf("the new token pair could not be stored anywhere, and the old one is no longer valid: %s: %s", l, l.d.reason(err)), "", nil)
	}
	return storeFailure(fmt.Sprintf("the new token pair could not be stored in %s: %s; the old one is no longer valid, and the new one is kept in %s", l, l.d.reason(err), path), "", nil)
}

// put writes the pair in place of the version that Load returned. After a
// connection was lost it first reads what is there: the pair itself, if only
// the answer to the commit was lost; an older version, if a standby that had
// not got the last one took over; or a newer pair, which is left alone.
func (l *lockedRow) put(ctx context.Context, content []byte) error {
	ctx, cancel := context.WithTimeout(ctx, storeQueryTimeout)
	defer cancel()
	if l.tx == nil {
		if err := l.begin(ctx); err != nil {
			return err
		}
		if l.row.version > l.replaces {
			stored, _, err := l.d.sealer.open(l.row.sealed, l.owner())
			if err == nil && string(stored) == string(content) {
				return nil
			}
			return errNewer
		}
	}
	_, err := l.tx.Exec(ctx, `UPDATE syncsources_pairs SET pair = $3, version = $4, stored = clock_timestamp(), renewal_began = NULL, renewal_by = NULL WHERE portal = $1 AND client = $2`,
		l.portal, l.client, l.d.sealer.seal(content, l.owner()), l.replaces+1)
	if err == nil {
		l.d.hook("written")
		err = l.commit(ctx)
	}
	if err != nil {
		l.fail(err)
		return err
	}
	l.prepared = false
	return nil
}

// Discard implements LockedStore: the renewal that was noted has ended.
func (l *lockedRow) Discard() error {
	if !l.prepared || l.tx == nil {
		return nil
	}
	l.prepared = false
	ctx, cancel := context.WithTimeout(context.Background(), storeQueryTimeout)
	defer cancel()
	_, err := l.tx.Exec(ctx, `UPDATE syncsources_pairs SET renewal_began = NULL, renewal_by = NULL WHERE portal = $1 AND client = $2`, l.portal, l.client)
	if err == nil {
		err = l.commit(ctx)
	}
	if err != nil {
		l.d.log.Warn("cannot remove the note of a renewal from the store", "store", l.String(), "error", l.d.reason(err))
	}
	return nil
}

// Patience implements LockedStore: the row's lock keeps all others out.
func (l *lockedRow) Patience() time.Duration { return 0 }
func (l *lockedRow) Unlock()                 { l.end() }
