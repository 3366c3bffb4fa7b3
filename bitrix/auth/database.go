package auth

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/semaphore"

	"syncsources/bitrix/rest"
	"syncsources/bitrix/secret"
)

// Database keeps token pairs, and the locks of applies, in PostgreSQL, for any
// number of machines. A pair is renewed once, whoever asks, under a lock on
// its row; pairs are encrypted before they leave the process.
type Database struct {
	pool   *pgxpool.Pool
	sealer *sealer
	name   string // host and database, for messages
	log    *slog.Logger

	migrating *semaphore.Weighted
	migrated  bool // guarded by migrating
	locks     *session
	hook      func(point string) // tests cut a renewal off at these points
}

// DatabaseConfig configures a Database.
type DatabaseConfig struct {
	URL    secret.Text  // postgres://user:password@host/database
	Key    secret.Text  // 32 bytes in base64, which encrypts pairs
	OldKey secret.Text  // of a rotation: opens pairs that Key does not; may be empty
	Logger *slog.Logger // nil logs nothing
}

// Limits of the connections to a store, unless its URL has others
// (pool_max_conns, connect_timeout). Eight machines stay below the hundred
// connections that PostgreSQL allows by default.
const (
	storeConnections    = 8
	storeConnectTimeout = 10 * time.Second
	storeQueryTimeout   = 30 * time.Second
)

// KeyError is the error of a key that is not one.
type KeyError struct {
	Old bool // it is OldKey
	Err error
}

func (e *KeyError) Error() string { return e.Err.Error() }
func (e *KeyError) Unwrap() error { return e.Err }

// IsDatabaseURL reports whether a text is the address of a PostgreSQL
// database.
func IsDatabaseURL(text string) bool {
	text = strings.ToLower(text)
	return strings.HasPrefix(text, "postgres://") || strings.HasPrefix(text, "postgresql://")
}

// OpenDatabase prepares a store and sends nothing. Its errors, a *KeyError for
// a key, are mistakes in conf and repeat none of it.
func OpenDatabase(conf DatabaseConfig) (*Database, error) {
	address := strings.TrimSpace(conf.URL.Plain())
	if !IsDatabaseURL(address) {
		return nil, errors.New("not an address like postgres://user:password@host/database")
	}
	config, err := pgxpool.ParseConfig(address)
	if err != nil {
		// The cause may repeat the password.
		return nil, errors.New("the address cannot be read; the user, the password and the database go into it percent-encoded, and what follows the ? is known to PostgreSQL")
	}
	d := &Database{log: conf.Logger, migrating: semaphore.NewWeighted(1), hook: func(string) {}}
	d.log = cmp.Or(d.log, slog.New(slog.DiscardHandler))
	keys := []secret.Text{conf.Key}
	if conf.OldKey.Plain() != "" {
		keys = append(keys, conf.OldKey)
	}
	if d.sealer, err = newSealer(keys...); err != nil {
		return nil, err
	}
	if u, err := url.Parse(address); err != nil || !u.Query().Has("pool_max_conns") {
		config.MaxConns = storeConnections
	}
	config.ConnConfig.ConnectTimeout = cmp.Or(config.ConnConfig.ConnectTimeout, storeConnectTimeout)
	if config.ConnConfig.RuntimeParams["application_name"] == "" {
		config.ConnConfig.RuntimeParams["application_name"] = "syncsources"
	}
	d.name = config.ConnConfig.Database + " at " + rest.Clean(net.JoinHostPort(config.ConnConfig.Host, strconv.Itoa(int(config.ConnConfig.Port))))
	if d.pool, err = pgxpool.NewWithConfig(context.Background(), config); err != nil {
		return nil, errors.New("the address cannot be used")
	}
	d.locks = newSession(d, config.ConnConfig)
	return d, nil
}

// Close ends the connections, and with them the locks.
func (d *Database) Close() {
	d.locks.close()
	d.pool.Close()
}

// String returns "the store bi at db.internal:5432".
func (d *Database) String() string { return "the store " + d.name }

// Check makes sure that the store can be used, and makes its tables if there
// are none. Errors are *rest.Error.
func (d *Database) Check(ctx context.Context) error {
	err := d.try(ctx, func(ctx context.Context) error { return d.pool.Ping(ctx) })
	if err != nil {
		return d.failure("cannot be used", err)
	}
	return nil
}

// try runs f on a store that has its tables. Where the connection fails it
// tries again for some seconds, so that a server that is restarted, or that a
// standby takes over from, costs no run.
func (d *Database) try(ctx context.Context, f func(context.Context) error) error {
	const attempts = 4
	for n := 1; ; n++ {
		err := d.migrate(ctx)
		if err == nil {
			err = f(ctx)
		}
		if err == nil || n == attempts || !passing(err) || ctx.Err() != nil {
			return err
		}
		if sleep(ctx, time.Duration(n)*500*time.Millisecond) != nil {
			return err
		}
	}
}

// passing reports whether an error may be gone in a moment: the connection was
// lost, or the server is shutting down, starting, or a standby.
func passing(err error) bool {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		var connect *pgconn.ConnectError
		var network net.Error
		return errors.As(err, &connect) || errors.As(err, &network) || pgconn.SafeToRetry(err) || isEOF(err)
	}
	if errors.As(err, new(*pgconn.ConnectError)) && !strings.HasPrefix(pg.Code, "57P") && !strings.HasPrefix(pg.Code, "53") {
		return false // refused: a wrong password stays wrong
	}
	return strings.HasPrefix(pg.Code, "57P") || strings.HasPrefix(pg.Code, "08") || strings.HasPrefix(pg.Code, "40") ||
		pg.Code == "53300" || pg.Code == "25P03" || pg.Code == codeReadOnly
}

// isEOF reports whether the server has hung up.
func isEOF(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) || err != nil && err.Error() == "conn closed"
}

// codeReadOnly is what a standby says to a write.
const codeReadOnly = "25006"

// reason says what went wrong in the store.
func (d *Database) reason(err error) string {
	var pg *pgconn.PgError
	var connect *pgconn.ConnectError
	switch {
	case errors.As(err, &pg) && pg.Code == codeReadOnly:
		return "the server is read-only, as a standby is after a failover"
	case errors.As(err, &pg):
		return fmt.Sprintf("%s (SQLSTATE %s)", rest.Clean(pg.Message), rest.Clean(pg.Code))
	case errors.Is(err, context.DeadlineExceeded):
		return "it does not answer in time"
	case errors.As(err, &connect):
		return "no connection: " + rest.Clean(innermost(connect).Error())
	case isEOF(err):
		return "the connection was lost"
	}
	return rest.Clean(err.Error())
}

// innermost is what an error began with, of several that came together the first.
func innermost(err error) error {
	for {
		next := errors.Unwrap(err)
		if all, ok := err.(interface{ Unwrap() []error }); ok && len(all.Unwrap()) > 0 {
			next = all.Unwrap()[0]
		}
		if next == nil {
			return err
		}
		err = next
	}
}

// failure makes the error of a store that fails.
func (d *Database) failure(what string, err error) error {
	if e, ok := errors.AsType[*rest.Error](err); ok {
		return e
	}
	return because(StoreDown, storeFailure(fmt.Sprintf("%s %s: %s", d, what, d.reason(err)), "", nil))
}
