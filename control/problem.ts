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
