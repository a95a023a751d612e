/** NATS JetStream as a broker. What all languages agree on is said in services/kit/events/nats.py. */

import {
  AckPolicy,
  type Consumer,
  DiscardPolicy,
  type JetStreamManager,
  type JsMsg,
  jetstream,
  jetstreamManager,
  JetStreamApiCodes,
  JetStreamApiError,
  StorageType,
} from "@nats-io/jetstream";
import { connect, type NatsConnection, nanos } from "@nats-io/transport-node";
import type { Log } from "../logs.js";

const STREAM = "EVENTS";
export const PREFIX = "events.";
const HOLD = 6_000; // after which a message that was neither acknowledged nor given back comes again
const KEPT = 7 * 24 * 3_600_000;
const DUPLICATES = 120_000;
const LIMIT = 2_000; // of each request to the server
const RECONNECT = 200;
const FETCH = 2_000;

/** Throws for a broker that is not spoken here. */
export function checkUrl(url: string, service: string): void {
  const scheme = url.split("://", 1)[0];
  if (url && scheme !== "nats" && scheme !== "tls") {
    throw new Error(`EVENTS_URL begins with ${scheme}://: ${service} knows nats:// and tls://`);
  }
}

/** A connection, which comes back by itself when it is lost. */
export class Broker {
  private constructor(
    private readonly connection: NatsConnection,
    private readonly log: Log,
  ) {}

  static async connect(url: string, log: Log): Promise<Broker> {
    const { host, username, password, protocol } = new URL(url);
    const connection = await connect({
      servers: host,
      ...(username ? { user: decodeURIComponent(username), pass: decodeURIComponent(password) } : {}),
      ...(protocol === "tls:" ? { tls: {} } : {}),
      timeout: LIMIT,
      maxReconnectAttempts: -1,
      reconnectTimeWait: RECONNECT,
    });
    const broker = new Broker(connection, log);
    void broker.follow();
    return broker;
  }

  /** The durable consumer of a topic, from the oldest that the broker still has, or where it was left off. */
  async subscribe(topic: string, durable: string): Promise<Consumer> {
    const manager = await jetstreamManager(this.connection, { timeout: LIMIT });
    await addStream(manager);
    const name = `${durable}-${topic}`;
    try {
      await manager.consumers.info(STREAM, name);
    } catch (error) {
      if (!isMissing(error, JetStreamApiCodes.ConsumerNotFound)) throw error;
      await manager.consumers.add(STREAM, {
        durable_name: name,
        filter_subject: PREFIX + topic,
        ack_policy: AckPolicy.Explicit,
        ack_wait: nanos(HOLD),
        max_ack_pending: 1,
      });
    }
    return await jetstream(this.connection, { timeout: LIMIT }).consumers.get(STREAM, name);
  }

  async close(): Promise<void> {
    await this.connection.close();
  }

  private async follow(): Promise<void> {
    for await (const { type } of this.connection.status()) {
      if (type === "disconnect") this.log.warn("the broker is gone");
      if (type === "reconnect") this.log.info("the broker is back");
    }
  }
}

/** The next message; null when nothing came for a while. */
export async function next(consumer: Consumer): Promise<JsMsg | null> {
  return await consumer.next({ expires: FETCH });
}

/** Creates the stream where nobody has yet; one that exists is left as it is. */
async function addStream(manager: JetStreamManager): Promise<void> {
  try {
    await manager.streams.info(STREAM);
  } catch (error) {
    if (!isMissing(error, JetStreamApiCodes.StreamNotFound)) throw error;
    await manager.streams.add({
      name: STREAM,
      subjects: [`${PREFIX}>`],
      max_age: nanos(KEPT),
      storage: StorageType.File,
      discard: DiscardPolicy.New,
      duplicate_window: nanos(DUPLICATES),
    });
  }
}

function isMissing(error: unknown, code: number): boolean {
  return error instanceof JetStreamApiError && error.code === code;
}
