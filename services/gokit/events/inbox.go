package events

import (
	"context"
	"database/sql"
	"errors"
	"time"

	eventspb "meshwright/services/gen/go/shop/events/v1"
)

// What became of an event: a row of the table inbox, whose columns are those of services/kit/events/inbox.py.
const (
	failing = "failing" // the handler failed; the broker delivers it again
	done    = "done"    // handled; kept as long as a duplicate may come
	held    = "held"    // failed too often: a dead letter
	waiting = "waiting" // to be handled from here: replayed, or comes after one of its aggregate that is held or waiting
)

// arrived is an event as it came; of what is no envelope only the kind and a made-up id are known.
type arrived struct {
	id, kind, aggregate string
	sequence            int64
	body                []byte
}

func arrivedFrom(envelope *eventspb.Envelope, body []byte) arrived {
	return arrived{envelope.GetEventId(), envelope.GetAggregateKind(), envelope.GetAggregateId(), envelope.GetSequence(), body}
}

func (a arrived) about() []any {
	return []any{"event_id", a.id, "aggregate", a.kind + "/" + a.aggregate}
}

// claim makes it done, before its handler runs in the same transaction. False for one that was here before.
func claim(ctx context.Context, tx *sql.Tx, event arrived) (bool, error) {
	changed, err := affected(tx.ExecContext(ctx, `
		INSERT INTO inbox (event_id, kind, aggregate, sequence, state, attempts, error, body, changed)
		VALUES ($1, $2, $3, $4, 'done', 0, '', x'', $5)
		ON CONFLICT (event_id) DO UPDATE SET state = 'done', error = '', body = x'', changed = $5 WHERE inbox.state = 'failing'`,
		event.id, event.kind, event.aggregate, event.sequence, now()))
	return changed == 1, err
}

// queued says whether earlier events of its aggregate are still to be handled from here; then it is waiting, too.
func queued(ctx context.Context, tx *sql.Tx, event arrived) (bool, error) {
	var earlier int
	err := tx.QueryRowContext(ctx, `SELECT count(*) FROM inbox
		WHERE kind = $1 AND aggregate = $2 AND state IN ('held', 'waiting') AND sequence < $3`,
		event.kind, event.aggregate, event.sequence).Scan(&earlier)
	if err != nil || earlier == 0 {
		return false, err
	}
	_, err = tx.ExecContext(ctx, `
		INSERT INTO inbox (event_id, kind, aggregate, sequence, state, attempts, error, body, changed)
		VALUES ($1, $2, $3, $4, 'waiting', 0, '', $5, $6)
		ON CONFLICT (event_id) DO UPDATE SET state = 'waiting', changed = $6 WHERE inbox.state = 'failing'`,
		event.id, event.kind, event.aggregate, event.sequence, event.body, now())
	return true, err
}

// countFailure says how often its handler has failed now.
func countFailure(ctx context.Context, tx *sql.Tx, event arrived, reason string) (failures int, err error) {
	err = tx.QueryRowContext(ctx, `
		INSERT INTO inbox (event_id, kind, aggregate, sequence, state, attempts, error, body, changed)
		VALUES ($1, $2, $3, $4, 'failing', 1, $5, $6, $7)
		ON CONFLICT (event_id) DO UPDATE SET attempts = inbox.attempts + 1, error = $5, changed = $7 RETURNING attempts`,
		event.id, event.kind, event.aggregate, event.sequence, reason, event.body, now()).Scan(&failures)
	return failures, err
}

// keep makes it a dead letter.
func keep(ctx context.Context, tx *sql.Tx, event arrived, reason string) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO inbox (event_id, kind, aggregate, sequence, state, attempts, error, body, changed)
		VALUES ($1, $2, $3, $4, 'held', 0, $5, $6, $7)
		ON CONFLICT (event_id) DO UPDATE SET state = 'held', error = $5, changed = $7 WHERE inbox.state <> 'done'`,
		event.id, event.kind, event.aggregate, event.sequence, reason, event.body, now())
	return err
}

// nextWaiting is the next to be handled from here, none that comes after a held one; nil when there is none.
func nextWaiting(ctx context.Context, tx *sql.Tx, kind string) (*arrived, error) {
	var event arrived
	err := tx.QueryRowContext(ctx, `
		SELECT event_id, kind, aggregate, sequence, body FROM inbox WHERE kind = $1 AND state = 'waiting' AND NOT EXISTS (
			SELECT 1 FROM inbox earlier WHERE earlier.kind = inbox.kind AND earlier.aggregate = inbox.aggregate
			AND earlier.sequence < inbox.sequence AND earlier.state = 'held')
		ORDER BY aggregate, sequence LIMIT 1`, kind).
		Scan(&event.id, &event.kind, &event.aggregate, &event.sequence, &event.body)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return &event, err
}

// finish: a waiting one is handled, in this transaction.
func finish(ctx context.Context, tx *sql.Tx, event arrived) error {
	_, err := tx.ExecContext(ctx,
		"UPDATE inbox SET state = 'done', body = x'', error = '', changed = $2 WHERE event_id = $1", event.id, now())
	return err
}

// forget removes what was done so long ago that no duplicate can come any more.
func forget(ctx context.Context, tx *sql.Tx, before time.Time) error {
	_, err := tx.ExecContext(ctx, "DELETE FROM inbox WHERE state = 'done' AND changed < $1", at(before))
	return err
}

func affected(result sql.Result, err error) (int64, error) {
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

func now() string { return at(time.Now()) }

// at writes a time as SQLAlchemy does, whose tools read this table, too.
func at(when time.Time) string { return when.UTC().Format("2006-01-02 15:04:05.000000") }
