/**
 * Checks what operators declare: names are used once, parents exist, and there is no circle.
 *
 * @module
 */

import * as v from "valibot";
import { type DeclaredTopology, declaredTopologySchema } from "#topology";
import { problemOf } from "./problem.ts";

/** A declaration, or one sentence that says why there is none. */
export type DeclaredReading =
  | { readonly kind: "declared"; readonly declared: DeclaredTopology }
  | { readonly kind: "refused"; readonly sentence: string };

/** Reads the body of `PUT /topology/declared`, already parsed as JSON. */
export function readDeclared(body: unknown): DeclaredReading {
  const parsed = v.safeParse(declaredTopologySchema, body, { abortEarly: true });
  if (!parsed.success) return refuse(problemOf(parsed.issues[0]));
  const problem = contradictionIn(parsed.output);
  return problem === undefined ? { kind: "declared", declared: parsed.output } : refuse(problem);
}

function contradictionIn({ sites, cacheGroups }: DeclaredTopology): string | undefined {
  const siteIds = new Set(sites.map(({ id }) => id));
  if (siteIds.size < sites.length) return "need each site once: received one twice";
  const groups = new Map(cacheGroups.map((group) => [group.id, group]));
  if (groups.size < cacheGroups.length) return "need each cache group once: received one twice";
  for (const { id, site, tier, parents, fallbacks } of cacheGroups) {
    if (site !== undefined && !siteIds.has(site)) return `need a site of ${id}: received ${site}`;
    for (const other of [...parents, ...fallbacks]) {
      if (!groups.has(other)) return `need a known group beside ${id}: received ${other}`;
    }
    const odd = fallbacks.find((other) => other === id || groups.get(other)?.tier !== tier);
    if (odd !== undefined) return `need fallbacks of ${id} in its tier: received ${odd}`;
  }
  const circle = cacheGroups.find(({ id }) => reaches(id, id, groups));
  return circle && `need parents without a circle: received one through ${circle.id}`;
}

type Groups = ReadonlyMap<string, { readonly parents: readonly string[] }>;

/** Whether `goal` is among the parents, grandparents and so on of `from`. */
function reaches(from: string, goal: string, groups: Groups): boolean {
  const seen = new Set<string>();
  const open = [...groups.get(from)?.parents ?? []];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (id === goal) return true;
    if (seen.has(id)) continue;
    seen.add(id);
    open.push(...groups.get(id)?.parents ?? []);
  }
  return false;
}

function refuse(problem: string): DeclaredReading {
  return { kind: "refused", sentence: `Cannot declare this topology: ${problem}` };
}
