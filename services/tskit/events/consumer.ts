/**
 * Handles events, as services/kit/events/consumer.py does: each once, those of one aggregate in order.
 *
 * 1. An event that is in the inbox already is acknowledged and nothing happens.
 * 2. A handler that fails is tried again, less and less often; the events behind it wait.
 * 3. One that fails `tries` times is held for people, and each later one of its aggregate waits in the inbox; all others go
 *    on. What is no event is held at once.
 * 4. A database or a broker that cannot be reached is nobody's fault: it is tried again and not counted.
 */

import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { fromBinary } from "@bufbuild/protobuf";
import type { Consumer as Subscribed } from "@nats-io/jetstream";
import { SpanStatusCode } from "@opentelemetry/api";
import { type Envelope, EnvelopeSchema } from "../../gen/ts/shop/events/v1/events_pb.js";
import { CURRENT, Call } from "../call.js";
import type { Database } from "../database.js";
import { exception } from "../logs.js";
import type { App, Behind } from "../main.js";
import * as inbox from "./inbox.js";
import { about, type Arrived, arrived } from "./inbox.js";
import { Broker, checkUrl, next, PREFIX } from "./nats.js";

/** Milliseconds. What is done is forgotten after `kept`, which is longer than any broker keeps a message. */
const PACE = {
  ...{ firstRetry: 200, longestRetry: 10_000, look: 1_000, forget: 3_600_000, kept: 14 * 24 * 3_600_000 },
  tries: 6,
};

/**
 * Changes the service's own database, and nothing else, in the transaction that it is called in, so that an event that comes
 * twice has its effect once; ignores payloads that it does not know.
 */
export type Handle = (database: Database, envelope: Envelope) => void;

/** The handler's own failure, not the database's around it. */
class HandlerFailed extends Error {}

/** Hears a topic for as long as the process runs. Without EVENTS_URL there is nothing to hear. Throws for a broker that is not spoken. */
export function consume(app: App, topic: string, handle: Handle, handled: () => void = () => {}): Behind {
  checkUrl(app.settings.eventsUrl, app.settings.service);
  if (!app.settings.eventsUrl) return { stop: async () => {} };
  const stopping = new AbortController();
  const consumer = new Consumer(app, topic, handle, handled, stopping.signal);
  const running = Promise.all([consumer.run(), consumer.workOff()]);
  return {
    stop: async () => {
      stopping.abort();
      await running;
    },
  };
}

class Consumer {
  private failures = 0;

  constructor(
    private readonly app: App,
    private readonly topic: string,
    private readonly handler: Handle,
    private readonly handled: () => void,
    private readonly stopping: AbortSignal,
  ) {}

  async run(): Promise<void> {
    while (!this.stopping.aborted) {
      try {
        await this.consume();
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        if (this.failures === 0) this.app.log.warn({ reason }, "the broker cannot be reached");
        await this.pause(retry(this.failures));
        this.failures += 1;
      }
    }
  }

  /** Handles what waits in the inbox, and forgets what is long done. */
  async workOff(): Promise<void> {
    let forgot = 0;
    while (!this.stopping.aborted) {
      while (this.handleWaiting());
      if (Date.now() - forgot > PACE.forget) {
        forgot = Date.now();
        this.write(() => inbox.forget(this.app.database, new Date(forgot - PACE.kept)));
      }
      await this.pause(PACE.look);
    }
  }

  /** Until the broker is gone: throws. */
  private async consume(): Promise<void> {
    const broker = await Broker.connect(this.app.settings.eventsUrl, this.app.log);
    try {
      const subscribed = await broker.subscribe(this.topic, this.app.settings.service);
      while (!this.stopping.aborted) await this.takeOne(subscribed);
    } finally {
      await broker.close();
    }
  }

  private async takeOne(subscribed: Subscribed): Promise<void> {
    const message = await next(subscribed);
    this.failures = 0;
    if (!message) return;
    const again = this.deliver(message.data);
    if (again > 0) message.nak(again);
    else message.ack();
  }

  /** After which time it should come again; 0 when it is over with. */
  private deliver(body: Uint8Array): number {
    const envelope = read(body);
    if (!envelope) return this.holdUnreadable(body);
    const event = arrived(envelope, body);
    const { database } = this.app;
    try {
      database.write(() => {
        if (!inbox.queued(database, event) && inbox.claim(database, event)) this.handle(envelope);
      });
    } catch (error) {
      if (error instanceof HandlerFailed) return this.failed(event, error);
      this.app.log.warn({ ...about(event), ...exception(error) }, "the database does not answer; an event waits");
      return PACE.look;
    }
    this.handled();
    return 0;
  }

  /** Runs the handler in the trace of what the event is about. */
  private handle(envelope: Envelope): void {
    const span = this.app.telemetry.consuming(`process ${PREFIX}${this.topic}`, envelope.traceparent, {
      "messaging.system": "nats",
      "messaging.operation.type": "process",
      "messaging.destination.name": PREFIX + this.topic,
      "messaging.message.id": envelope.eventId,
    });
    const call = new Call(`consume ${this.topic}`, span.spanContext(), () => "");
    try {
      CURRENT.run(call, () => {
        this.handler(this.app.database, envelope);
        this.app.log.info(about(arrived(envelope, new Uint8Array())), "an event was handled");
      });
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      span.setStatus({ code: SpanStatusCode.ERROR, message });
      throw new HandlerFailed(message, { cause: error });
    } finally {
      span.end();
    }
  }

  private failed(event: Arrived, error: HandlerFailed): number {
    let failures = 0;
    const kept = this.write((database) => {
      failures = inbox.failed(database, event, error.message);
      if (failures >= PACE.tries) inbox.hold(database, event, error.message);
    });
    if (!kept) return PACE.look;
    if (failures < PACE.tries) {
      this.app.log.warn({ ...about(event), failures, ...exception(error.cause) }, "an event was not handled");
      return retry(failures - 1);
    }
    this.app.log.error({ ...about(event), ...exception(error.cause) }, "an event is held until it is replayed");
    return 0;
  }

  private holdUnreadable(body: Uint8Array): number {
    const id = createHash("sha256").update(body).digest("hex");
    const event = { id, kind: this.topic, aggregate: "", sequence: 0n, body };
    if (!this.write((database) => inbox.hold(database, event, "not an event of the contract"))) return PACE.look;
    this.app.log.error(about(event), "what arrived is no event; it is held");
    return 0;
  }

  /** Whether there was one. */
  private handleWaiting(): boolean {
    const { database, log } = this.app;
    let event: Arrived | undefined;
    try {
      database.write(() => {
        event = inbox.nextWaiting(database, this.topic);
        if (!event) return;
        inbox.finish(database, event);
        this.handle(fromBinary(EnvelopeSchema, event.body));
      });
    } catch (error) {
      const holding = event;
      if (!holding || !(error instanceof HandlerFailed)) return false;
      log.error({ ...about(holding), ...exception(error.cause) }, "an event is held until it is replayed");
      return this.write(() => inbox.hold(database, holding, error.message));
    }
    if (event) {
      log.info(about(event), "an event was handled from the inbox");
      this.handled();
    }
    return event !== undefined;
  }

  /** Whether it was kept. */
  private write(work: (database: Database) => void): boolean {
    try {
      this.app.database.write(() => work(this.app.database));
      return true;
    } catch (error) {
      this.app.log.warn(exception(error), "the database does not answer");
      return false;
    }
  }

  private async pause(milliseconds: number): Promise<void> {
    await sleep(milliseconds, undefined, { signal: this.stopping }).catch(() => {});
  }
}

/** After so many failures in a row, 0 for the first. */
function retry(failures: number): number {
  return Math.min(PACE.firstRetry * 2 ** Math.min(failures, 20), PACE.longestRetry);
}

function read(body: Uint8Array): Envelope | undefined {
  try {
    const envelope = fromBinary(EnvelopeSchema, body);
    return envelope.eventId ? envelope : undefined;
  } catch {
    return undefined;
  }
}
