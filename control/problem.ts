/**
 * Says in words what is wrong with a body.
 *
 * @module
 */

import * as v from "valibot";

/** Returns "need X as Y: received Z" for what a schema found first. */
export function problemOf(issue: v.BaseIssue<unknown>): string {
  const where = v.getDotPath(issue) ?? "body";
  const need = issue.expected === null ? issue.message : issue.expected;
  return `need ${need} as ${where}: received ${issue.received.slice(0, 80)}`;
}

/** Writes a path as `cacheGroups[2].parents[0]`. */
export function fieldPath(path: readonly (string | number)[]): string {
  return path.map((step, i) => {
    if (typeof step === "number") return `[${step}]`;
    return i === 0 ? step : `.${step}`;
  }).join("");
}

/** Returns "need Y to be X: received Z", the field first, for a document of many parts. */
export function needOf(issue: v.BaseIssue<unknown>): string {
  const path = (issue.path ?? []).map(({ key }) => key as string | number);
  const received = issue.received.slice(0, 80);
  if (path.length === 0) return `need an object with the parts of a topology: received ${received}`;
  if (issue.expected === "never") return `need no field ${fieldPath(path)}: received one`;
  // Rules that say in words what they need have a message of their own.
  const said = issue.kind === "validation" && !issue.message.startsWith("Invalid");
  const need = said ? issue.message : issue.expected?.replace(/^\((.*)\)$/, "$1");
  if (issue.received === "undefined") return `need ${fieldPath(path)}: received nothing`;
  return `need ${fieldPath(path)} to be ${need}: received ${received}`;
}
