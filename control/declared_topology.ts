/**
 * Checks what operators declare: fields are what they should be, names are used once and lead
 * somewhere, and no chain of parents runs in a circle. What is refused is said in one sentence that
 * names the field.
 *
 * @module
 */

import * as v from "valibot";
import { type DeclaredTopology, declaredTopologySchema } from "#topology";
import { fieldPath, needOf } from "./problem.ts";

/** A declaration, or one sentence that says why there is none. */
export type DeclaredReading =
  | { readonly kind: "declared"; readonly declared: DeclaredTopology }
  | { readonly kind: "refused"; readonly sentence: string };

/** Reads a declared topology that was JSON or YAML. */
export function readDeclared(body: unknown): DeclaredReading {
  const parsed = v.safeParse(declaredTopologySchema, body, { abortEarly: true });
  if (!parsed.success) return refuse(needOf(parsed.issues[0]));
  const problem = firstProblem(parsed.output);
  return problem === undefined ? { kind: "declared", declared: parsed.output } : refuse(problem);
}

/** One field that contradicts another: what it should be and what came. */
function problem(path: readonly (string | number)[], need: string, received: unknown): string {
  return `need ${fieldPath(path)} ${need}: received ${JSON.stringify(received).slice(0, 80)}`;
}

type Check = (declared: DeclaredTopology) => Iterable<string>;

function firstProblem(declared: DeclaredTopology): string | undefined {
  const checks: readonly Check[] = [
    usedOnce,
    regionNames,
    groupNames,
    groupCircle,
    topologyNames,
    serviceNames,
  ];
  for (const check of checks) for (const found of check(declared)) return found;
  return undefined;
}

function* usedOnce(declared: DeclaredTopology): Iterable<string> {
  const parts = ["regions", "sites", "cacheGroups", "topologies", "deliveryServices"] as const;
  for (const part of parts) {
    const again = repeated(declared[part].map(({ id }) => id));
    if (again) yield problem([part, again.at, "id"], "to be used once", again.value);
  }
  const file = repeated(declared.carousel.map(({ path }) => path));
  if (file) yield problem(["carousel", file.at, "path"], "to be there once", file.value);
}

function repeated(values: readonly string[]): { at: number; value: string } | undefined {
  const seen = new Set<string>();
  for (const [at, value] of values.entries()) {
    if (seen.has(value)) return { at, value };
    seen.add(value);
  }
  return undefined;
}

function* regionNames({ regions, sites }: DeclaredTopology): Iterable<string> {
  const known = new Set(regions.map(({ id }) => id));
  for (const [i, { id, fallbacks }] of regions.entries()) {
    for (const [j, other] of fallbacks.entries()) {
      if (known.has(other) && other !== id) continue;
      yield problem(["regions", i, "fallbacks", j], "to name another region", other);
    }
  }
  for (const [i, { region }] of sites.entries()) {
    if (region === undefined || known.has(region)) continue;
    yield problem(["sites", i, "region"], "to name a region", region);
  }
}

function* groupNames({ sites, cacheGroups }: DeclaredTopology): Iterable<string> {
  const siteIds = new Set(sites.map(({ id }) => id));
  const tiers = new Map(cacheGroups.map(({ id, tier }) => [id, tier]));
  for (const [i, { id, tier, site, parents, fallbacks }] of cacheGroups.entries()) {
    if (site !== undefined && !siteIds.has(site)) {
      yield problem(["cacheGroups", i, "site"], "to name a site", site);
    }
    for (const [j, parent] of parents.entries()) {
      const path = ["cacheGroups", i, "parents", j];
      if (!tiers.has(parent)) yield problem(path, "to name a cache group", parent);
      if (tiers.get(parent) !== "shield") {
        yield problem(path, "to name a cache group of tier shield", parent);
      }
    }
    for (const [j, other] of fallbacks.entries()) {
      const path = ["cacheGroups", i, "fallbacks", j];
      if (!tiers.has(other)) yield problem(path, "to name a cache group", other);
      if (other === id || tiers.get(other) !== tier) {
        yield problem(path, `to name another cache group of tier ${tier}`, other);
      }
    }
  }
}

function* groupCircle({ cacheGroups }: DeclaredTopology): Iterable<string> {
  const parents = new Map(cacheGroups.map(({ id, parents }) => [id, parents]));
  const caught = circling(parents);
  const at = cacheGroups.findIndex(({ id }) => caught.has(id) && reaches(id, parents));
  if (at === -1) return;
  const { id } = cacheGroups[at];
  yield problem(["cacheGroups", at, "parents"], "not to lead back to their own group", id);
}

function* topologyNames({ topologies, cacheGroups }: DeclaredTopology): Iterable<string> {
  const tiers = new Map(cacheGroups.map(({ id, tier }) => [id, tier]));
  for (const [i, { id, nodes }] of topologies.entries()) {
    const again = repeated(nodes.map(({ cacheGroup }) => cacheGroup));
    const nodePath = (at: number) => ["topologies", i, "nodes", at, "cacheGroup"];
    if (again) yield problem(nodePath(again.at), "to be there once", again.value);
    const here = new Set(nodes.map(({ cacheGroup }) => cacheGroup));
    for (const [j, { cacheGroup, parents }] of nodes.entries()) {
      if (!tiers.has(cacheGroup)) yield problem(nodePath(j), "to name a cache group", cacheGroup);
      for (const [k, parent] of parents.entries()) {
        const path = ["topologies", i, "nodes", j, "parents", k];
        if (!here.has(parent)) yield problem(path, "to name a node of the topology", parent);
        if (tiers.get(parent) !== "shield") {
          yield problem(path, "to name a cache group of tier shield", parent);
        }
      }
    }
    const graph = new Map(nodes.map(({ cacheGroup, parents }) => [cacheGroup, parents]));
    if (circling(graph).size > 0) {
      yield problem(["topologies", i, "nodes"], "not to run in a circle", id);
    }
  }
}

function* serviceNames({ deliveryServices, topologies }: DeclaredTopology): Iterable<string> {
  const known = new Set(topologies.map(({ id }) => id));
  const prefixes = new Set<string>();
  for (const [i, service] of deliveryServices.entries()) {
    const { topology } = service;
    if (topology !== undefined && !known.has(topology)) {
      yield problem(["deliveryServices", i, "topology"], "to name a topology", topology);
    }
    for (const [j, prefix] of service.prefixes.entries()) {
      if (prefixes.has(prefix)) {
        yield problem(["deliveryServices", i, "prefixes", j], "to be used once", prefix);
      }
      prefixes.add(prefix);
    }
    if (service.goDirect && service.origin === undefined) {
      yield `need deliveryServices[${i}].origin where goDirect is true: received nothing`;
    }
  }
}

/** The groups that lie on a circle of parents, or below one: what is left when all others are taken. */
function circling(parents: ReadonlyMap<string, readonly string[]>): ReadonlySet<string> {
  const open = new Map([...parents].map(([id, above]) => [id, above.length]));
  const below = new Map<string, string[]>();
  for (const [id, above] of parents) {
    for (const parent of above) below.set(parent, [...below.get(parent) ?? [], id]);
  }
  const free = [...open].flatMap(([id, count]) => count === 0 ? id : []);
  for (let id = free.pop(); id !== undefined; id = free.pop()) {
    open.delete(id);
    for (const child of below.get(id) ?? []) {
      const count = (open.get(child) ?? 0) - 1;
      open.set(child, count);
      if (count === 0) free.push(child);
    }
  }
  return new Set(open.keys());
}

/** Whether a group is among its own parents, grandparents and so on. */
function reaches(goal: string, parents: ReadonlyMap<string, readonly string[]>): boolean {
  const seen = new Set<string>();
  const open = [...parents.get(goal) ?? []];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (id === goal) return true;
    if (seen.has(id)) continue;
    seen.add(id);
    open.push(...parents.get(id) ?? []);
  }
  return false;
}

function refuse(problem: string): DeclaredReading {
  return { kind: "refused", sentence: `Cannot accept the topology: ${problem}` };
}
