/** Notifications as they are kept. */

import { create } from "@bufbuild/protobuf";
import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import type { Envelope } from "../gen/ts/shop/events/v1/events_pb.js";
import { type Notification, NotificationSchema } from "../gen/ts/shop/notifications/v1/notifications_pb.js";
import type { Database, Row } from "../tskit/database.js";
import { told } from "./wording.js";

/** Sends what an event calls for; called once for each, in a transaction. */
export function notify(database: Database, envelope: Envelope): void {
  const telling = told(envelope);
  if (!telling) return;
  const now = Date.now();
  const occurred = envelope.occurredTime ? timestampMs(envelope.occurredTime) : now;
  database.run(
    `INSERT INTO notifications (event_id, customer_id, order_id, kind, subject, body, occurred, sent)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    ...[
      envelope.eventId,
      telling.customerId,
      telling.orderId,
      telling.kind,
      telling.subject,
      telling.body,
      occurred,
      now,
    ],
  );
}

/** Newest first, those before the number `before`; of everybody when no customer is given. */
export function page(database: Database, customer: string, before: number, limit: number): Notification[] {
  const whose = customer ? "customer_id = ? AND" : "";
  const query = `SELECT * FROM notifications WHERE ${whose} number < ? ORDER BY number DESC LIMIT ?`;
  return database.all(query, ...(customer ? [customer] : []), before, limit).map(fromRow);
}

/** A customer's, oldest first, those after the number `after`. */
export function later(database: Database, customer: string, after: number, limit: number): Notification[] {
  const query = "SELECT * FROM notifications WHERE customer_id = ? AND number > ? ORDER BY number LIMIT ?";
  return database.all(query, customer, after, limit).map(fromRow);
}

/** The number of the last one of all. */
export function last(database: Database): number {
  return Number(database.first("SELECT coalesce(max(number), 0) AS last FROM notifications")?.last);
}

function fromRow(row: Row): Notification {
  return create(NotificationSchema, {
    id: String(row.number).padStart(16, "0"),
    customerId: String(row.customer_id),
    orderId: String(row.order_id),
    kind: Number(row.kind),
    subject: String(row.subject),
    body: String(row.body),
    occurredTime: timestampFromMs(Number(row.occurred)),
    sentTime: timestampFromMs(Number(row.sent)),
  });
}
