package gokit

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"strings"
	"time"

	"modernc.org/sqlite" // registers itself as "sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

const pragmas = "?_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)&_pragma=busy_timeout(2000)&_pragma=foreign_keys(ON)"

var sqliteURL = regexp.MustCompile(`^sqlite(\+\w+)?:///(.+)$`)

// Database is a service's own, SQLite: one connection writes, several read beside it.
type Database struct{ reading, writing *sql.DB }

// OpenDatabase opens the one of a DATABASE_URL (sqlite:////data/x.db, or sqlite:///x.db for one where the process runs)
// and brings its tables up to date: migrations are .sql files, done once each, in the order of their names.
func OpenDatabase(ctx context.Context, address string, migrations embed.FS) (*Database, error) {
	found := sqliteURL.FindStringSubmatch(address)
	if found == nil {
		return nil, fmt.Errorf("DATABASE_URL is %q: give sqlite:///PATH", address)
	}
	source := "file:" + found[2] + pragmas
	writing, err := sql.Open("sqlite", source+"&_txlock=immediate")
	if err != nil {
		return nil, err
	}
	writing.SetMaxOpenConns(1)
	reading, err := sql.Open("sqlite", source)
	if err != nil {
		return nil, errors.Join(err, writing.Close())
	}
	database := &Database{reading, writing}
	if err := database.migrate(ctx, migrations); err != nil {
		return nil, errors.Join(fmt.Errorf("the database at %s: %w", found[2], err), database.Close())
	}
	return database, nil
}

// Read is for queries.
func (d *Database) Read() *sql.DB { return d.reading }

// Write does work in one transaction: all of it is kept, or nothing.
func (d *Database) Write(ctx context.Context, work func(*sql.Tx) error) error {
	tx, err := d.writing.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := work(tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

// Answers says whether a query gets through.
func (d *Database) Answers(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	_, err := d.reading.ExecContext(ctx, "SELECT count(*) FROM migrations")
	return err == nil
}

// isAway says whether an error is the database's, which a later try may not meet, rather than a mistake in a query.
func isAway(err error) bool {
	failed := (*sqlite.Error)(nil)
	if !errors.As(err, &failed) {
		return false
	}
	switch failed.Code() & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR,
		sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN:
		return true
	}
	return false
}

// Close is after the last call.
func (d *Database) Close() error { return errors.Join(d.reading.Close(), d.writing.Close()) }

func (d *Database) migrate(ctx context.Context, migrations embed.FS) error {
	return d.Write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "CREATE TABLE IF NOT EXISTS migrations (name TEXT PRIMARY KEY)"); err != nil {
			return err
		}
		files, err := fs.Glob(migrations, "migrations/*.sql")
		if err != nil {
			return err
		}
		for _, file := range files {
			if err := migrateOnce(ctx, tx, migrations, file); err != nil {
				return fmt.Errorf("%s: %w", file, err)
			}
		}
		return nil
	})
}

func migrateOnce(ctx context.Context, tx *sql.Tx, migrations embed.FS, file string) error {
	name := strings.TrimSuffix(path.Base(file), ".sql")
	done, err := tx.ExecContext(ctx, "INSERT INTO migrations (name) VALUES ($1) ON CONFLICT DO NOTHING", name)
	if err != nil {
		return err
	}
	if fresh, err := done.RowsAffected(); err != nil || fresh == 0 {
		return err
	}
	text, err := migrations.ReadFile(file)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, string(text))
	return err
}
