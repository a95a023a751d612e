/**
 * One process of a service, from start to end. Input: a `Service` and the environment. Output: an exit code, 0 after a stop
 * that was asked for, 1 after a line that says why.
 */

import { setTimeout as sleep } from "node:timers/promises";
import type { DescService } from "@bufbuild/protobuf";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import { type Boundary, definition, implementation, type Servicer } from "./boundary.js";
import { methodsOf } from "./contract.js";
import { Database } from "./database.js";
import { Health } from "./health.js";
import { type Log, newLog } from "./logs.js";
import { addReflection } from "./reflection.js";
import { BadSetting, fromEnvironment, type Settings } from "./settings.js";
import { Telemetry } from "./telemetry.js";

const PING = 1000;

/** What a service gets to work with. */
export interface App {
  readonly settings: Settings;
  readonly database: Database;
  readonly telemetry: Telemetry;
  readonly log: Log;
}

/** What goes on behind the calls; `stop` returns once it has ended. */
export interface Behind {
  readonly stop: () => Promise<void>;
}

/** What a service is to the kit. `migrations` is a folder of .sql files. */
export interface Service {
  readonly name: string;
  readonly contract: DescService;
  readonly migrations: URL;
  readonly open: (app: App) => { servicer: Servicer; behind?: Behind };
  readonly commands?: Readonly<Record<string, (database: Database, args: readonly string[]) => void>>;
}

/** Runs the service; with arguments, one of its commands instead. */
export async function main(service: Service): Promise<void> {
  let settings: Settings;
  try {
    settings = fromEnvironment(service.name, process.env);
  } catch (error) {
    if (!(error instanceof BadSetting)) throw error;
    console.error(`${service.name}: ${error.message}`);
    process.exit(1);
  }
  const [command, ...args] = process.argv.slice(2);
  if (command) process.exit(runCommand(service, settings, command, args));
  const log = newLog(settings);
  try {
    await run(service, settings, log);
  } catch (error) {
    log.error({ reason: error instanceof Error ? error.message : String(error) }, "cannot start");
    process.exit(1);
  }
  process.exit(0);
}

function runCommand(service: Service, settings: Settings, name: string, args: readonly string[]): number {
  const command = service.commands?.[name];
  if (!command) {
    console.error(`${service.name} has no command ${name}`);
    return 2;
  }
  try {
    const database = Database.open(settings.databaseUrl, service.migrations);
    command(database, args);
    database.close();
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    return 1;
  }
  return 0;
}

/**
 * Serves until SIGTERM or SIGINT. Then health says NOT_SERVING, and calls are taken for `drain` more, because those who send
 * them learn of it later than we; then no more are taken, streams are ended, and calls under way get `stop`.
 */
async function run(service: Service, settings: Settings, log: Log): Promise<void> {
  const stopping = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => stopping.abort());
  const methods = methodsOf(service.contract);
  const database = Database.open(settings.databaseUrl, service.migrations);
  // The exporters would read it, too, and want a URL.
  delete process.env.OTEL_EXPORTER_OTLP_ENDPOINT;
  const telemetry = Telemetry.open(settings, log);
  const leaving = new AbortController();
  const { servicer, behind } = service.open({ settings, database, telemetry, log });
  const domain = service.contract.file.proto.package;
  const boundary: Boundary = { settings, domain, telemetry, log, leaving: leaving.signal };
  const server = new Server();
  const health = new Health(service.contract.typeName);
  server.addService(definition(methods), implementation(methods, servicer, boundary));
  health.addToServer(server);
  addReflection(server, service.contract);
  log.info({ port: await bound(server, settings) }, "listening");
  await watch(database, health, log, stopping.signal);
  health.drain();
  await sleep(settings.drain);
  leaving.abort();
  health.leave();
  await ended(server, settings.stop);
  await behind?.stop();
  await telemetry.close();
  database.close();
  log.info("stopped");
}

async function bound(server: Server, settings: Settings): Promise<number> {
  const where = `${settings.host}:${settings.port}`;
  return new Promise((resolve, reject) => {
    server.bindAsync(where, ServerCredentials.createInsecure(), (error, port) => {
      if (error) reject(new Error(`cannot listen on ${where}: ${error.message}; set PORT to another`));
      else resolve(port);
    });
  });
}

/** Keeps health true until it is time to stop: ready as long as the database answers. */
async function watch(database: Database, health: Health, log: Log, stopping: AbortSignal): Promise<void> {
  while (!stopping.aborted) {
    const ready = database.answers;
    if (ready !== health.ready) {
      log.info(ready ? "ready" : "not ready: the database does not answer");
      health.setReady(ready);
    }
    await sleep(PING, undefined, { signal: stopping }).catch(() => {});
  }
}

async function ended(server: Server, limit: number): Promise<void> {
  const forced = setTimeout(() => server.forceShutdown(), limit);
  await new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
  clearTimeout(forced);
}
