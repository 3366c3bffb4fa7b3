package auth

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

// testDatabase returns the address of an empty schema of the PostgreSQL server
// that SYNCSOURCES_TEST_POSTGRES names, and skips the test without one.
func testDatabase(t *testing.T) string {
	t.Helper()
	address := os.Getenv("SYNCSOURCES_TEST_POSTGRES")
	if address == "" {
		t.Skip("SYNCSOURCES_TEST_POSTGRES names no server")
	}
	schema := "test_" + strings.ToLower(rand.Text())
	query(t, address, `CREATE SCHEMA `+schema)
	t.Cleanup(func() { query(t, address, `DROP SCHEMA `+schema+` CASCADE`) })
	u := must(url.Parse(address))(t)
	q := u.Query()
	q.Set("search_path", schema)
	q.Set("application_name", schema) // to end its connections and no others
	u.RawQuery = q.Encode()
	return u.String()
}

// query runs statements on a connection of its own.
func query(t *testing.T, address, sql string, args ...any) {
	t.Helper()
	ctx := context.Background()
	conn := must(pgx.Connect(ctx, address))(t)
	defer func() { _ = conn.Close(ctx) }()
	if _, err := conn.Exec(ctx, sql, args...); err != nil {
		t.Fatal(fmt.Errorf("%s: %w", sql, err))
	}
}

// endConnections ends all connections to a test's database.
func endConnections(t *testing.T, address string) {
	t.Helper()
	query(t, address, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND application_name = current_setting('application_name')`)
}
