/**
 * What happens around each call, as in services/kit/boundary.py: the caller's trace and deadline in, else the contract's
 * timeout; rules, a fault that was asked for, the method; errors out with details and who answered, and a record of it.
 *
 * Input: a servicer with one function a method, which gets the request and a signal that is aborted when the call ends;
 * one that answers with a stream is an async generator. Output: handlers for grpc-js.
 */

import { fromBinary, type Message, toBinary } from "@bufbuild/protobuf";
import {
  Metadata,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceDefinition,
  type sendUnaryData,
  status,
  type UntypedHandleCall,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { ATTEMPT, CURRENT, Call } from "./call.js";
import type { Method } from "./contract.js";
import { isAway } from "./database.js";
import { addDetails, internal, invalidRequest, leaving, ServiceError, timedOut, unavailable } from "./errors.js";
import { carryOut, chosenFault, type Fault } from "./fault.js";
import { exception, type Log } from "./logs.js";
import type { Settings } from "./settings.js";
import type { Telemetry } from "./telemetry.js";

export type Unary = (request: never, signal: AbortSignal) => Promise<Message> | Message;
export type Streaming = (request: never, signal: AbortSignal) => AsyncGenerator<Message, void>;
export type Servicer = Readonly<Record<string, Unary | Streaming>>;

/** What every call of a process needs to know. `leaving` is aborted once it takes no more calls. */
export interface Boundary {
  readonly settings: Settings;
  readonly domain: string;
  readonly telemetry: Telemetry;
  readonly log: Log;
  readonly leaving: AbortSignal;
}

type AnyCall = ServerUnaryCall<Message, Message> | ServerWritableStream<Message, Message>;

export function definition(methods: readonly Method[]): ServiceDefinition {
  const each = methods.map(({ path, descriptor: { name, methodKind, input, output } }) => [
    name,
    {
      path,
      requestStream: false,
      responseStream: methodKind === "server_streaming",
      requestSerialize: (message: Message) => Buffer.from(toBinary(input, message)),
      requestDeserialize: (bytes: Buffer) => fromBinary(input, bytes),
      responseSerialize: (message: Message) => Buffer.from(toBinary(output, message)),
      responseDeserialize: (bytes: Buffer) => fromBinary(output, bytes),
    },
  ]);
  return Object.fromEntries(each);
}

/** Throws when the servicer lacks a method of the contract. */
export function implementation(
  methods: readonly Method[],
  servicer: Servicer,
  boundary: Boundary,
): UntypedServiceImplementation {
  const handlers = methods.map((method): [string, UntypedHandleCall] => {
    const { name, methodKind } = method.descriptor;
    const behaviour = servicer[name];
    if (!behaviour) throw new Error(`${method.path} is not implemented`);
    return methodKind === "server_streaming"
      ? [name, streaming(method, behaviour as Streaming, boundary)]
      : [name, unary(method, behaviour as Unary, boundary)];
  });
  return Object.fromEntries(handlers);
}

function unary(method: Method, behaviour: Unary, boundary: Boundary): UntypedHandleCall {
  return (call: ServerUnaryCall<Message, Message>, callback: sendUnaryData<Message>) => {
    const answering = around(method, call, boundary, undefined, async (signal, fault) => {
      if (fault && !fault.after) await carryOut(fault, current(), signal);
      const response = await ended(Promise.resolve(behaviour(call.request as never, signal)), signal);
      if (fault?.after) await carryOut(fault, current(), signal);
      return response;
    });
    void answering.then(
      (response) => {
        if (boundary.settings.development) call.sendMetadata(servedBy(call, boundary.settings));
        callback(null, response);
      },
      (error: ServiceError) =>
        callback({ code: error.code, details: error.message, metadata: trailers(error, call, boundary) }),
    );
  };
}

function streaming(method: Method, behaviour: Streaming, boundary: Boundary): UntypedHandleCall {
  return (call: ServerWritableStream<Message, Message>) => {
    const answering = around(method, call, boundary, boundary.leaving, async (signal, fault) => {
      if (fault) await carryOut(fault, current(), signal);
      if (boundary.settings.development) call.sendMetadata(servedBy(call, boundary.settings));
      const responses = behaviour(call.request as never, signal);
      try {
        for (;;) {
          const next = await ended(responses.next(), signal);
          if (next.done) return;
          if (!call.write(next.value)) await ended(new Promise((drained) => call.once("drain", drained)), signal);
        }
      } finally {
        void responses.return(undefined).catch(() => {}); // it ends by itself once its signal is aborted
      }
    });
    void answering.then(
      () => call.end(),
      (error: ServiceError) =>
        call.emit("error", { code: error.code, details: error.message, metadata: trailers(error, call, boundary) }),
    );
  };
}

/** Answers one call; rejects with the ServiceError that the caller is told. */
async function around<T>(
  method: Method,
  call: AnyCall,
  boundary: Boundary,
  leave: AbortSignal | undefined,
  answer: (signal: AbortSignal, fault: Fault | undefined) => Promise<T>,
): Promise<T> {
  const started = performance.now();
  const header = (name: string) => String(call.metadata.get(name)[0] ?? "");
  const span = boundary.telemetry.serving(method.path, header);
  const context = new Call(method.path, span.spanContext(), header);
  const ending = new Ending(call, method.timeout, leave);
  return CURRENT.run(context, async () => {
    let code = status.OK;
    try {
      const broken = method.check(call.request);
      if (broken.length > 0) throw invalidRequest(broken);
      const { settings } = boundary;
      const fault = settings.development ? chosenFault(context, settings, method.descriptor.name) : undefined;
      const response = await answer(ending.signal, fault);
      if (method.changes) {
        const milliseconds = Math.round(10 * (performance.now() - started)) / 10;
        boundary.log.info({ method: method.path, milliseconds }, "call served");
      }
      return response;
    } catch (error) {
      const told = translated(error, context);
      code = told.code;
      say(boundary.log, method.path, told, error);
      throw told;
    } finally {
      ending.clear();
      boundary.telemetry.served(span, method.path, code, performance.now() - started);
    }
  });
}

function translated(error: unknown, call: Call): ServiceError {
  if (error instanceof ServiceError) return error;
  if (isAway(error)) return unavailable("ERROR_REASON_DATABASE_UNAVAILABLE", "the database does not answer");
  return internal(call.span.traceId);
}

/** Why a call ends before its answer: its caller goes, its time is over, or its process leaves. */
class Ending {
  private readonly controller = new AbortController();
  private readonly timer: NodeJS.Timeout;
  readonly signal = this.controller.signal;

  /** `timeout` holds for a caller that sent no deadline. */
  constructor(call: AnyCall, timeout: number, leave: AbortSignal | undefined) {
    const deadline = call.getDeadline();
    const left = Number(deadline) - Date.now();
    const limit = Number.isFinite(left) ? left : timeout;
    this.timer = setTimeout(() => this.controller.abort(timedOut(limit)), Math.max(limit, 0));
    const gone = () =>
      this.controller.abort(new ServiceError(status.CANCELLED, "ERROR_REASON_UNSPECIFIED", "the caller has gone"));
    call.on("cancelled", gone);
    if (call.cancelled) gone();
    leave?.addEventListener("abort", this.left);
    if (leave?.aborted) this.left();
    this.signal.addEventListener("abort", () => leave?.removeEventListener("abort", this.left), { once: true });
  }

  private readonly left = () => this.controller.abort(leaving());

  clear(): void {
    clearTimeout(this.timer);
    this.controller.abort(new Error("answered"));
  }
}

/** What comes, unless the signal is aborted before. */
async function ended<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  let stop = () => {};
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
    signal.addEventListener("abort", stop, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

function current(): Call {
  const call = CURRENT.getStore();
  if (!call) throw new Error("outside of any call");
  return call;
}

function say(log: Log, method: string, told: ServiceError, error: unknown): void {
  const code = status[told.code];
  const ours = told.code === status.INTERNAL || told.code === status.UNKNOWN || told.code === status.DATA_LOSS;
  if (ours) log.error({ method, code, ...exception(error, true) }, "call failed");
  else log.info({ method, code, message: told.message }, "call refused");
}

function trailers(error: ServiceError, call: AnyCall, boundary: Boundary): Metadata {
  const metadata = servedBy(call, boundary.settings);
  addDetails(error, boundary.domain, metadata);
  return metadata;
}

/** Who answers. */
function servedBy(call: AnyCall, settings: Settings): Metadata {
  const who = new Metadata();
  who.set("served-by", settings.pod);
  who.set("served-version", settings.version);
  const attempt = call.metadata.get(ATTEMPT)[0];
  if (attempt) who.set("attempt", attempt);
  return who;
}
