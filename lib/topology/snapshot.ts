/**
 * The topology as control hands it out: numbered, applied whole or not at all. The vocabulary
 * follows Apache Traffic Control: sites, cache groups with ordered parents, caches in tiers.
 *
 * @module
 */

import * as v from "valibot";

/** What a node does. */
export type NodeRole = "edge" | "shield" | "headend" | "stb";

/** All roles. */
export const nodeRoles: readonly NodeRole[] = ["edge", "shield", "headend", "stb"];

const name = v.pipe(v.string(), v.regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/));
const httpUrl = v.pipe(v.string(), v.maxLength(512), v.url(), v.regex(/^https?:/));
const text = v.pipe(v.string(), v.maxLength(64));
const weight = v.optional(v.pipe(v.number(), v.minValue(0.001), v.maxValue(1000)), 1);
const few = 1024;
const many = 100_000;
const list = <Item extends v.GenericSchema>(item: Item, most: number) =>
  v.pipe(v.array(item), v.maxLength(most));

/** The schema of {@link NodeRecord}. */
export const nodeRecordSchema = v.object({
  id: name,
  role: v.picklist(nodeRoles),
  url: httpUrl,
  adminUrl: httpUrl,
  region: v.optional(name),
  cacheGroup: v.optional(name),
  weight,
  version: text,
});

/** A node as it registers. `region` is for set-top boxes, `cacheGroup` for edges and shields. */
export type NodeRecord = v.InferInput<typeof nodeRecordSchema>;

const cache = v.object({ id: name, url: httpUrl, cacheGroup: v.optional(name), weight });

/** The schema of {@link DeclaredTopology}. */
export const declaredTopologySchema = v.strictObject({
  sites: v.optional(list(v.object({ id: name, city: v.optional(text) }), few), []),
  cacheGroups: v.optional(
    list(
      v.object({
        id: name,
        tier: v.picklist(["edge", "shield"]),
        site: v.optional(name),
        parents: v.optional(list(name, 2), []),
        fallbacks: v.optional(list(name, 16), []),
      }),
      few,
    ),
    [],
  ),
});

/** What operators declare: sites, and cache groups with primary and secondary parent. */
export type DeclaredTopology = v.InferOutput<typeof declaredTopologySchema>;

/** The schema of {@link TopologySnapshot}. */
export const topologySnapshotSchema = v.object({
  ...declaredTopologySchema.entries,
  number: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
  controlId: text,
  issuedMs: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  shields: list(cache, few),
  edges: list(cache, few),
  headends: list(v.object({ id: name, url: httpUrl }), few),
  stbRegions: list(
    v.object({ id: name, stbs: list(v.object({ id: name, url: httpUrl }), many) }),
    few,
  ),
});

/**
 * One numbered topology. A number belongs to one control (`controlId`) and is never used twice;
 * all lists are in order of `id`.
 */
export type TopologySnapshot = v.InferOutput<typeof topologySnapshotSchema>;

/** One cache of a tier in a snapshot. */
export type CacheNode = v.InferOutput<typeof cache>;

/** Reads a snapshot that came over the network or from disk; `undefined` when it is none. */
export function parseSnapshot(value: unknown): TopologySnapshot | undefined {
  const parsed = v.safeParse(topologySnapshotSchema, value);
  return parsed.success ? parsed.output : undefined;
}
