/**
 * The topology as control hands it out: numbered, applied whole or not at all. It is what operators
 * declared and which caches and headends have registered; set-top boxes are no part of it.
 *
 * @module
 */

import * as v from "valibot";
import { declaredEntries } from "./declared.ts";
import { few, httpUrl, list, name, text, weight } from "./fields.ts";

/** What a node does. */
export type NodeRole = "edge" | "shield" | "headend" | "stb";

/** All roles. */
export const nodeRoles: readonly NodeRole[] = ["edge", "shield", "headend", "stb"];

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

/**
 * The schema of {@link TopologySnapshot}. Parts that an older format lacks are empty, and what only an
 * older one has (`stbRegions`) is passed over.
 */
export const topologySnapshotSchema = v.object({
  ...declaredEntries,
  number: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
  controlId: text,
  issuedMs: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  shields: list(cache, few),
  edges: list(cache, few),
  headends: list(v.object({ id: name, url: httpUrl }), few),
});

/**
 * One numbered topology. A number belongs to one control (`controlId`) and is never used twice;
 * the lists of nodes are in order of `id`, those that people write in theirs.
 */
export type TopologySnapshot = v.InferOutput<typeof topologySnapshotSchema>;

/** One cache of a tier in a snapshot. */
export type CacheNode = v.InferOutput<typeof cache>;

/** Reads a snapshot that came over the network or from disk; `undefined` when it is none. */
export function parseSnapshot(value: unknown): TopologySnapshot | undefined {
  const parsed = v.safeParse(topologySnapshotSchema, value);
  return parsed.success ? parsed.output : undefined;
}
