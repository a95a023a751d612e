/** The rules of request fields (proto/shop/rules/v1), compiled once at start into plain functions. */

import { type DescField, type DescMessage, getOption, type Message, ScalarType } from "@bufbuild/protobuf";
import { type ReflectMessage, reflect } from "@bufbuild/protobuf/reflect";
import { RE2JS } from "re2js";
import { type FieldRules, FieldRulesSchema, field as rulesOption } from "../gen/ts/shop/rules/v1/rules_pb.js";
import type { Violation } from "./errors.js";

type Visit = (value: unknown, path: string) => Violation[];
/** What is wrong with one value, "" when nothing is. */
type Test = (value: unknown) => string;

const INTEGERS = new Set([
  ...[ScalarType.INT32, ScalarType.SINT32, ScalarType.SFIXED32, ScalarType.UINT32, ScalarType.FIXED32],
  ...[ScalarType.INT64, ScalarType.SINT64, ScalarType.SFIXED64, ScalarType.UINT64, ScalarType.FIXED64],
]);

/** Throws for a rule that cannot apply to its field. */
export function compileRules(message: DescMessage): (request: Message) => Violation[] {
  const visit = compileMessage(message, new Map());
  return (request) => visit(reflect(message, request), "");
}

/** `known` has the messages under way, so that one that contains itself ends. */
function compileMessage(message: DescMessage, known: Map<string, Visit>): Visit {
  const found = known.get(message.typeName);
  if (found) return found;
  const parts: [DescField, Visit][] = [];
  const all: Visit = (value, path) =>
    parts.flatMap(([field, visit]) => visit(read(value as ReflectMessage, field), path + field.name));
  known.set(message.typeName, all);
  for (const field of message.fields) {
    const visit = compileField(field, known);
    if (visit) parts.push([field, visit]);
  }
  return all;
}

/** A message that was left out is undefined. */
function read(message: ReflectMessage, field: DescField): unknown {
  return field.fieldKind === "message" && !message.isSet(field) ? undefined : message.get(field);
}

function compileField(field: DescField, known: Map<string, Visit>): Visit | undefined {
  const rules = getOption(field, rulesOption);
  refuseMisplaced(field, rules);
  const tests = [...stringTests(rules), ...numberTests(rules)];
  const inner = field.message && field.fieldKind !== "map" ? compileMessage(field.message, known) : undefined;
  if (field.fieldKind === "map") return undefined;
  if (field.fieldKind === "list") return ofList(rules, single(tests), inner);
  if (inner) return ofMessage(rules.required, inner);
  if (rules.required) tests.unshift((value) => (value ? "" : "is required"));
  return single(tests);
}

function single(tests: readonly Test[]): Visit | undefined {
  if (tests.length === 0) return undefined;
  return (value, field) => {
    for (const test of tests) {
      const description = test(value);
      if (description) return [{ field, description }];
    }
    return [];
  };
}

function ofMessage(required: boolean, inner: Visit): Visit {
  return (value, field) => {
    if (value !== undefined) return inner(value, `${field}.`);
    return required ? [{ field, description: "is required" }] : [];
  };
}

function ofList(rules: FieldRules, each: Visit | undefined, inner: Visit | undefined): Visit {
  const least = Math.max(rules.minItems ?? 0, rules.required ? 1 : 0);
  const most = rules.maxItems ?? Number.POSITIVE_INFINITY;
  return (value, field) => {
    const items = [...(value as Iterable<unknown>)];
    if (items.length < least) return [{ field, description: `must have at least ${least} items, has ${items.length}` }];
    if (items.length > most) return [{ field, description: `must have at most ${most} items, has ${items.length}` }];
    return items.flatMap((item, i) => [
      ...(each?.(item, `${field}[${i}]`) ?? []),
      ...(inner?.(item, `${field}[${i}].`) ?? []),
    ]);
  };
}

/** A string that was left out passes all but the longest length. */
function stringTests(rules: FieldRules): Test[] {
  const tests: Test[] = [];
  const add = (wrong: (text: string) => string | false) => tests.push((value) => wrong(value as string) || "");
  const { minLength, maxLength, pattern } = rules;
  const allowed = [...rules.in].sort();
  if (minLength !== undefined) {
    add(
      (text) =>
        text !== "" && length(text) < minLength && `must have at least ${minLength} characters, has ${length(text)}`,
    );
  }
  if (maxLength !== undefined) {
    add((text) => length(text) > maxLength && `must have at most ${maxLength} characters, has ${length(text)}`);
  }
  if (pattern !== undefined) {
    const compiled = RE2JS.compile(pattern);
    add((text) => text !== "" && !compiled.matches(text) && `must match ${pattern}`);
  }
  if (allowed.length > 0) {
    add((text) => text !== "" && !allowed.includes(text) && `must be one of ${allowed.join(", ")}`);
  }
  return tests;
}

/** Unicode code points. */
function length(text: string): number {
  return [...text].length;
}

function numberTests(rules: FieldRules): Test[] {
  const tests: Test[] = [];
  const { min, max } = rules;
  if (min !== undefined) tests.push((n) => (BigInt(n as number) < min ? `must be at least ${min}, is ${n}` : ""));
  if (max !== undefined) tests.push((n) => (BigInt(n as number) > max ? `must be at most ${max}, is ${n}` : ""));
  return tests;
}

function refuseMisplaced(field: DescField, rules: FieldRules): void {
  const fits = new Set(["required"]);
  const allow = (yes: boolean, ...names: string[]) => yes && names.forEach((name) => void fits.add(name));
  allow(field.fieldKind === "list", "min_items", "max_items");
  allow(field.scalar === ScalarType.STRING, "min_length", "max_length", "pattern", "in");
  allow(field.scalar !== undefined && INTEGERS.has(field.scalar), "min", "max");
  const set = reflect(FieldRulesSchema, rules);
  for (const rule of FieldRulesSchema.fields) {
    if (set.isSet(rule) && !fits.has(rule.name)) {
      throw new Error(
        `${field.parent.typeName}.${field.name}: the rule ${rule.name} cannot apply to a field of this type`,
      );
    }
  }
}
