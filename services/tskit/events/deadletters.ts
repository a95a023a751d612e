/** The command `deadletters` of a service, for events that it could not handle, as services/kit/events/deadletters.py. */

import { fromBinary, toJsonString } from "@bufbuild/protobuf";
import { EnvelopeSchema } from "../../gen/ts/shop/events/v1/events_pb.js";
import type { Database } from "../database.js";
import { type Arrived, fromRow } from "./inbox.js";

const USAGE = `usage: deadletters list
       deadletters replay EVENT_ID...     (or: all)
       deadletters discard EVENT_ID...    (or: all)

What comes after a dead letter in its aggregate waits for it, and goes on by itself once that is replayed or discarded.`;

export function deadletters(database: Database, args: readonly string[]): void {
  const [command, ...events] = args;
  if (command === "list" && events.length === 0) list(database);
  else if (command === "replay" && events.length > 0)
    change(database, "state = 'waiting', attempts = 0", "to be tried again", events);
  // it may be delivered again: its row stays
  else if (command === "discard" && events.length > 0)
    change(database, "state = 'done', body = x''", "discarded", events);
  else throw new Error(USAGE);
}

function list(database: Database): void {
  const rows = database.all("SELECT * FROM inbox WHERE state = 'held' ORDER BY kind, aggregate, sequence");
  for (const row of rows) {
    const event = fromRow(row);
    const where = `${event.kind}/${event.aggregate} #${event.sequence}`;
    console.log(`inbox  ${event.id}  ${where}  ${row.error}\n    ${readable(event)}`);
  }
  if (rows.length === 0) console.log("no dead letters");
}

function readable(event: Arrived): string {
  try {
    return toJsonString(EnvelopeSchema, fromBinary(EnvelopeSchema, event.body));
  } catch {
    return Buffer.from(event.body).toString("hex");
  }
}

function change(database: Database, set: string, what: string, events: readonly string[]): void {
  const all = events.length === 1 && events[0] === "all";
  const chosen = all ? "" : ` AND event_id IN (${events.map(() => "?").join(", ")})`;
  const query = `UPDATE inbox SET ${set} WHERE state = 'held'${chosen}`;
  const count = database.write(() => database.run(query, ...(all ? [] : events)));
  console.log(`${count} ${what}`);
}
