/**
 * grpc.health.v1 through grpc-health-check, and the one truth behind it. "" and the service are ready or not; `liveness` is
 * alive, whatever the database does: what liveness probes ask.
 */

import type { Server, ServerWritableStream, ServiceDefinition, UntypedServiceImplementation } from "@grpc/grpc-js";
import { HealthImplementation, service as HEALTH } from "grpc-health-check";

export { HEALTH };

export class Health {
  private readonly implementation: HealthImplementation;
  private readonly watching = new Set<ServerWritableStream<unknown, unknown>>();
  private draining = false;
  ready = false;

  constructor(private readonly service: string) {
    this.implementation = new HealthImplementation({
      "": "NOT_SERVING",
      [service]: "NOT_SERVING",
      liveness: "SERVING",
    });
  }

  /** Once draining, a process is never ready again. */
  setReady(ready: boolean): void {
    this.ready = ready && !this.draining;
    const status = this.ready ? "SERVING" : "NOT_SERVING";
    for (const name of ["", this.service]) this.implementation.setStatus(name, status);
  }

  /** Not ready, for good. */
  drain(): void {
    this.draining = true;
    this.setReady(false);
  }

  /** Ends the streams of watchers, who would hold the server open. */
  leave(): void {
    for (const call of this.watching) call.end();
  }

  addToServer(server: Server): void {
    const addService = (definition: unknown, handlers: UntypedServiceImplementation) => {
      const watch = handlers.watch as (call: ServerWritableStream<unknown, unknown>) => void;
      const remembered = (call: ServerWritableStream<unknown, unknown>) => {
        this.watching.add(call);
        call.once("cancelled", () => this.watching.delete(call));
        watch(call);
      };
      server.addService(definition as ServiceDefinition, { ...handlers, watch: remembered });
    };
    this.implementation.addToServer({ addService } as never);
  }
}
