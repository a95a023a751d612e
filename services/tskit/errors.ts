/**
 * The errors a service answers with. Thrown anywhere; turned into a google.rpc.Status at one place, boundary.
 *
 * `reason` is the name of a value of the contract's ErrorReason; `metadata` is for programs, the message for people.
 */

import { create, toBinary } from "@bufbuild/protobuf";
import { type Any, anyPack, DurationSchema } from "@bufbuild/protobuf/wkt";
import { type Metadata, status } from "@grpc/grpc-js";
import { BadRequestSchema, ErrorInfoSchema, RetryInfoSchema } from "../gen/ts/google/rpc/error_details_pb.js";
import { StatusSchema } from "../gen/ts/google/rpc/status_pb.js";
import { ErrorReason, ErrorReasonSchema, file_shop_rules_v1_rules } from "../gen/ts/shop/rules/v1/rules_pb.js";

const RETRY_SECONDS = 1n;

/** `field` is a path from the request: lines[0].quantity. */
export interface Violation {
  readonly field: string;
  readonly description: string;
}

export class ServiceError extends Error {
  constructor(
    readonly code: status,
    readonly reason: string,
    message: string,
    readonly metadata: Readonly<Record<string, string>> = {},
    readonly violations: readonly Violation[] = [],
  ) {
    super(message);
  }
}

/** The request breaks rules of its contract. */
export function invalidRequest(violations: readonly Violation[]): ServiceError {
  const message = violations.map((v) => `${v.field}: ${v.description}`).join("; ");
  return new ServiceError(status.INVALID_ARGUMENT, "ERROR_REASON_INVALID_REQUEST", message, {}, violations);
}

export function notFound(reason: string, message: string, metadata: Record<string, string> = {}): ServiceError {
  return new ServiceError(status.NOT_FOUND, reason, message, metadata);
}

/** Not now, a second later perhaps. */
export function unavailable(reason: string, message: string): ServiceError {
  return new ServiceError(status.UNAVAILABLE, reason, message);
}

/** `limit` in milliseconds. */
export function timedOut(limit: number): ServiceError {
  const message = `took longer than the ${limit / 1000} s it may take`;
  return new ServiceError(status.DEADLINE_EXCEEDED, "ERROR_REASON_TIMED_OUT", message);
}

/** Ends a stream of a process that is about to stop. */
export function leaving(): ServiceError {
  return unavailable("ERROR_REASON_LEAVING", "this process is stopping; ask again");
}

/** A mistake in the service. */
export function internal(traceId: string): ServiceError {
  const message = `a mistake in the service; see its log, trace ${traceId}`;
  return new ServiceError(status.INTERNAL, "ERROR_REASON_INTERNAL", message, { trace_id: traceId });
}

/** What an error is sent with: the details of AIP-193, in the trailer grpc-status-details-bin. `domain` is the service's package. */
export function addDetails(error: ServiceError, domain: string, trailers: Metadata): void {
  const everywhere = isShared(error.reason);
  const info = create(ErrorInfoSchema, {
    reason: error.reason,
    domain: everywhere ? file_shop_rules_v1_rules.proto.package : domain,
    metadata: { ...error.metadata },
  });
  const details: Any[] = [anyPack(ErrorInfoSchema, info)];
  if (error.violations.length > 0) {
    const fieldViolations = error.violations.map(({ field, description }) => ({ field, description }));
    details.push(anyPack(BadRequestSchema, create(BadRequestSchema, { fieldViolations })));
  }
  if (error.code === status.UNAVAILABLE) {
    const retryDelay = create(DurationSchema, { seconds: RETRY_SECONDS });
    details.push(anyPack(RetryInfoSchema, create(RetryInfoSchema, { retryDelay })));
  }
  const packed = create(StatusSchema, { code: error.code, message: error.message, details });
  trailers.set("grpc-status-details-bin", Buffer.from(toBinary(StatusSchema, packed)));
}

/** Whether any service may give this reason, as proto/shop/rules/v1 says. */
function isShared(reason: string): boolean {
  return ErrorReasonSchema.values.some((value) => value.name === reason && value.number !== ErrorReason.UNSPECIFIED);
}
