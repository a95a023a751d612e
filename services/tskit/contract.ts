/** What a contract says about each method: how long it may take, whether it changes anything, and the rules of its request. */

import { type DescMethod, type DescService, getOption, type Message } from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import { policy } from "../gen/ts/shop/rules/v1/rules_pb.js";
import type { Violation } from "./errors.js";
import { compileRules } from "./rules.js";

export interface Method {
  readonly descriptor: DescMethod;
  /** As on the wire: /package.Service/Name. */
  readonly path: string;
  /** Milliseconds that a call may take, or a stream may last. */
  readonly timeout: number;
  readonly changes: boolean;
  readonly check: (request: Message) => Violation[];
}

/** Throws for a method without a timeout, since a call without a limit is never meant, and for a rule that cannot apply to its field. */
export function methodsOf(service: DescService): Method[] {
  return service.methods.map((descriptor) => {
    const limit = getOption(descriptor, policy).timeout;
    const timeout = limit ? Number(limit.seconds) * 1000 + limit.nanos / 1e6 : 0;
    if (timeout <= 0) {
      const name = `${service.typeName}.${descriptor.name}`;
      const line = "option (shop.rules.v1.policy) = {timeout: {seconds: 2}};";
      throw new Error(`${name} has no timeout; add to its proto: ${line}`);
    }
    return {
      descriptor,
      path: `/${service.typeName}/${descriptor.name}`,
      timeout,
      changes: descriptor.idempotency !== MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS,
      check: compileRules(descriptor.input),
    };
  });
}
