/**
 * What the environment tells a service, read once at start. The variables are those of services/kit/settings.py; WORKERS
 * has no meaning here: run more replicas.
 */

export interface Settings {
  readonly service: string;
  readonly host: string;
  readonly port: number;
  readonly pod: string;
  readonly version: string;
  readonly databaseUrl: string;
  readonly eventsUrl: string;
  readonly development: boolean;
  readonly otlpEndpoint: string;
  readonly sampled: number;
  readonly logLevel: "debug" | "info" | "warn" | "error";
  /** Milliseconds, as all times here. */
  readonly drain: number;
  readonly stop: number;
}

/** Says which variable makes no sense, and what would. */
export class BadSetting extends Error {}

type Environment = Readonly<Record<string, string | undefined>>;

/** Throws BadSetting. */
export function fromEnvironment(service: string, env: Environment): Settings {
  return {
    service,
    host: env.HOST || "[::]",
    port: port(env),
    pod: env.POD_NAME || service,
    version: env.VERSION || "v1",
    databaseUrl: env.DATABASE_URL || `sqlite:///${service}.db`,
    eventsUrl: env.EVENTS_URL || "",
    development: env.DEVELOPMENT?.toLowerCase() === "true",
    otlpEndpoint: env.OTEL_EXPORTER_OTLP_ENDPOINT || "",
    sampled: number(env, "OTEL_TRACES_SAMPLER_ARG", 1),
    logLevel: level(env),
    drain: 1000 * number(env, "DRAIN_SECONDS", 2),
    stop: 1000 * number(env, "STOP_SECONDS", 10),
  };
}

function port(env: Environment): number {
  const text = env.PORT || "50051";
  if (!/^\d+$/.test(text) || Number(text) > 65535) {
    throw new BadSetting(`PORT is ${JSON.stringify(text)}: set it to a whole number, 0 or more`);
  }
  return Number(text);
}

function number(env: Environment, name: string, otherwise: number): number {
  const text = env[name] || String(otherwise);
  const found = Number(text);
  if (!Number.isFinite(found) || found < 0) {
    throw new BadSetting(`${name} is ${JSON.stringify(text)}: set it to a number that is not negative`);
  }
  return found;
}

function level(env: Environment): Settings["logLevel"] {
  const levels = { debug: "debug", info: "info", warning: "warn", error: "error" } as const;
  const text = (env.LOG_LEVEL || "info").toLowerCase();
  if (!Object.hasOwn(levels, text)) {
    throw new BadSetting(`LOG_LEVEL is ${JSON.stringify(text)}: set it to debug, info, warning or error`);
  }
  return levels[text as keyof typeof levels];
}
