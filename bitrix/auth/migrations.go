package auth

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// migrations make the tables, one step after the other. A step that has been
// released is never changed.
var migrations = []string{
	`CREATE TABLE syncsources_pairs (
		portal text NOT NULL,
		client text NOT NULL,
		pair bytea,                          -- encrypted; null: there is none yet
		version bigint NOT NULL DEFAULT 0,   -- grows by one with each new pair
		stored timestamptz,
		renewal_began timestamptz,           -- of this pair, and not ended yet
		renewal_by text,
		PRIMARY KEY (portal, client)
	);
	CREATE TABLE syncsources_applies (
		portal text PRIMARY KEY,
		holder text NOT NULL,                -- of the lock, as JSON
		last_add timestamptz                 -- null: all adds are settled
	)`,
}

// migrate brings the tables to the version of this program. It costs one
// query, and that only once in a process.
func (d *Database) migrate(ctx context.Context) error {
	if err := d.migrating.Acquire(ctx, 1); err != nil {
		return err
	}
	defer d.migrating.Release(1)
	if d.migrated {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, storeQueryTimeout)
	defer cancel()
	version, err := schemaVersion(ctx, d.pool)
	if err != nil {
		return err
	}
	if version < len(migrations) {
		version, err = d.upgrade(ctx)
	}
	if err != nil {
		return err
	}
	if version > len(migrations) {
		return fmt.Errorf("its tables are of a later version of syncsources (%d, this one knows %d)", version, len(migrations))
	}
	d.migrated = true
	return nil
}

// querier is a connection, a pool, or a transaction.
type querier interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// schemaVersion returns the version of the tables; 0: there are none.
func schemaVersion(ctx context.Context, q querier) (version int, err error) {
	var there bool
	if err := q.QueryRow(ctx, `SELECT to_regclass('syncsources_schema') IS NOT NULL`).Scan(&there); err != nil || !there {
		return 0, err
	}
	err = q.QueryRow(ctx, `SELECT coalesce(max(version), 0) FROM syncsources_schema`).Scan(&version)
	return version, err
}

// upgrade takes the steps that are missing, while all other processes wait.
func (d *Database) upgrade(ctx context.Context) (version int, err error) {
	err = pgx.BeginFunc(ctx, d.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtextextended('syncsources schema', 0))`); err != nil {
			return err
		}
		// to_regclass may not see yet what has been made while this waited.
		if _, err := tx.Exec(ctx, `CREATE TABLE IF NOT EXISTS syncsources_schema (version int NOT NULL)`); err != nil {
			return err
		}
		if version, err = schemaVersion(ctx, tx); err != nil {
			return err
		}
		for _, step := range migrations[min(version, len(migrations)):] {
			if _, err := tx.Exec(ctx, step, pgx.QueryExecModeSimpleProtocol); err != nil {
				return err
			}
			version++
		}
		if _, err := tx.Exec(ctx, `DELETE FROM syncsources_schema`); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `INSERT INTO syncsources_schema VALUES ($1)`, version)
		return err
	})
	return version, err
}
