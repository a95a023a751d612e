package events

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	eventspb "meshwright/services/gen/go/shop/events/v1"
	"meshwright/services/gokit"
)

const usage = `usage: deadletters list
       deadletters replay EVENT_ID...     (or: all)
       deadletters discard EVENT_ID...    (or: all)

What comes after a dead letter in its aggregate waits for it, and goes on by itself once that is replayed or discarded.`

// DeadLetters is the command of a service for events that it could not handle, as services/kit/events/deadletters.py.
func DeadLetters(ctx context.Context, database *gokit.Database, arguments []string) error {
	switch {
	case len(arguments) == 1 && arguments[0] == "list":
		return list(ctx, database)
	case len(arguments) > 1 && arguments[0] == "replay":
		return change(ctx, database, "state = 'waiting', attempts = 0", "to be tried again", arguments[1:])
	case len(arguments) > 1 && arguments[0] == "discard": // it may be delivered again: its row stays
		return change(ctx, database, "state = 'done', body = x''", "discarded", arguments[1:])
	}
	return fmt.Errorf("%s", usage)
}

func list(ctx context.Context, database *gokit.Database) error {
	rows, err := database.Read().QueryContext(ctx, `SELECT event_id, kind, aggregate, sequence, error, body FROM inbox
		WHERE state = 'held' ORDER BY kind, aggregate, sequence`)
	if err != nil {
		return err
	}
	defer rows.Close()
	none := true
	for rows.Next() {
		var event arrived
		var reason string
		if err := rows.Scan(&event.id, &event.kind, &event.aggregate, &event.sequence, &reason, &event.body); err != nil {
			return err
		}
		none = false
		fmt.Printf("inbox  %s  %s/%s #%d  %s\n    %s\n",
			event.id, event.kind, event.aggregate, event.sequence, reason, readable(event.body))
	}
	if none {
		fmt.Println("no dead letters")
	}
	return rows.Err()
}

func readable(body []byte) string {
	envelope := &eventspb.Envelope{}
	if proto.Unmarshal(body, envelope) != nil {
		return fmt.Sprintf("%x", body)
	}
	return protojson.MarshalOptions{}.Format(envelope)
}

func change(ctx context.Context, database *gokit.Database, set, what string, events []string) error {
	query, chosen := "UPDATE inbox SET "+set+" WHERE state = 'held'", []any{}
	if len(events) != 1 || events[0] != "all" {
		query += " AND event_id IN (?" + strings.Repeat(", ?", len(events)-1) + ")"
		for _, event := range events {
			chosen = append(chosen, event)
		}
	}
	return database.Write(ctx, func(tx *sql.Tx) error {
		count, err := affected(tx.ExecContext(ctx, query, chosen...))
		if err == nil {
			fmt.Println(count, what)
		}
		return err
	})
}
