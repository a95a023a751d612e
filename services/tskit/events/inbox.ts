/**
 * What a consumer has done with the events it got, in its own database: the table of services/kit/events/inbox.py, in which
 * its states are described. A service creates it in a migration.
 */

import type { Envelope } from "../../gen/ts/shop/events/v1/events_pb.js";
import type { Database } from "../database.js";

/** An event as it came; of what is no envelope only the kind and a made-up id are known. */
export interface Arrived {
  readonly id: string;
  readonly kind: string;
  readonly aggregate: string;
  readonly sequence: bigint;
  readonly body: Uint8Array;
}

const COLUMNS = "event_id, kind, aggregate, sequence, state, attempts, error, body, changed";
const NOTHING = Buffer.alloc(0);

export function arrived(envelope: Envelope, body: Uint8Array): Arrived {
  const { eventId: id, aggregateKind: kind, aggregateId: aggregate, sequence } = envelope;
  return { id, kind, aggregate, sequence, body };
}

export function about(event: Arrived): { event_id: string; aggregate: string } {
  return { event_id: event.id, aggregate: `${event.kind}/${event.aggregate}` };
}

/** Makes it done, before its handler runs in the same transaction. False for one that was here before. */
export function claim(database: Database, event: Arrived): boolean {
  const changed = database.run(
    `INSERT INTO inbox (${COLUMNS}) VALUES (?, ?, ?, ?, 'done', 0, '', ?, ?)
     ON CONFLICT (event_id) DO UPDATE SET state = 'done', error = '', body = excluded.body, changed = excluded.changed
     WHERE inbox.state = 'failing'`,
    ...[...key(event), NOTHING, now()],
  );
  return changed === 1;
}

/** Whether earlier events of its aggregate are still to be handled from here; then it is waiting, too. */
export function queued(database: Database, event: Arrived): boolean {
  const earlier = database.first(
    `SELECT event_id FROM inbox WHERE kind = ? AND aggregate = ? AND state IN ('held', 'waiting') AND sequence < ? LIMIT 1`,
    ...[event.kind, event.aggregate, Number(event.sequence)],
  );
  if (!earlier) return false;
  database.run(
    `INSERT INTO inbox (${COLUMNS}) VALUES (?, ?, ?, ?, 'waiting', 0, '', ?, ?)
     ON CONFLICT (event_id) DO UPDATE SET state = 'waiting', changed = excluded.changed WHERE inbox.state = 'failing'`,
    ...[...key(event), Buffer.from(event.body), now()],
  );
  return true;
}

/** Counts a failure of the handler; how many there were. */
export function failed(database: Database, event: Arrived, error: string): number {
  const row = database.first(
    `INSERT INTO inbox (${COLUMNS}) VALUES (?, ?, ?, ?, 'failing', 1, ?, ?, ?)
     ON CONFLICT (event_id) DO UPDATE SET attempts = inbox.attempts + 1, error = excluded.error, changed = excluded.changed
     RETURNING attempts`,
    ...[...key(event), error, Buffer.from(event.body), now()],
  );
  return Number(row?.attempts);
}

/** Makes it a dead letter. */
export function hold(database: Database, event: Arrived, error: string): void {
  database.run(
    `INSERT INTO inbox (${COLUMNS}) VALUES (?, ?, ?, ?, 'held', 0, ?, ?, ?)
     ON CONFLICT (event_id) DO UPDATE SET state = 'held', error = excluded.error, changed = excluded.changed
     WHERE inbox.state <> 'done'`,
    ...[...key(event), error, Buffer.from(event.body), now()],
  );
}

/** The next to be handled from here, none that comes after a held one. */
export function nextWaiting(database: Database, kind: string): Arrived | undefined {
  const row = database.first(
    `SELECT event_id, kind, aggregate, sequence, body FROM inbox WHERE kind = ? AND state = 'waiting' AND NOT EXISTS (
       SELECT 1 FROM inbox earlier WHERE earlier.kind = inbox.kind AND earlier.aggregate = inbox.aggregate
       AND earlier.sequence < inbox.sequence AND earlier.state = 'held')
     ORDER BY aggregate, sequence LIMIT 1`,
    kind,
  );
  return row && fromRow(row);
}

/** A waiting one is handled, in this transaction. */
export function finish(database: Database, event: Arrived): void {
  const done = "UPDATE inbox SET state = 'done', body = ?, error = '', changed = ? WHERE event_id = ?";
  database.run(done, NOTHING, now(), event.id);
}

/** Removes what was done before then, so long ago that no duplicate can come any more. */
export function forget(database: Database, before: Date): void {
  database.run("DELETE FROM inbox WHERE state = 'done' AND changed < ?", at(before));
}

export function fromRow(row: Readonly<Record<string, unknown>>): Arrived {
  return {
    id: String(row.event_id),
    kind: String(row.kind),
    aggregate: String(row.aggregate),
    sequence: BigInt(row.sequence as number),
    body: new Uint8Array(row.body as ArrayBuffer),
  };
}

function key(event: Arrived): unknown[] {
  return [event.id, event.kind, event.aggregate, Number(event.sequence)];
}

function now(): string {
  return at(new Date());
}

/** A time as SQLAlchemy writes it, whose tools read this table, too. */
function at(when: Date): string {
  return when.toISOString().replace("T", " ").replace("Z", "000");
}
