/**
 * What operators declare: the part of the topology that people write. The words are those of Apache
 * Traffic Control: regions and their coverage zone, sites (physical locations), cache groups with
 * ordered parents and fallbacks, topologies, delivery services.
 *
 * @module
 */

import * as v from "valibot";
import { bucketsOver } from "./bucket_policy.ts";
import { canonicalTarget } from "#http";
import { few, httpUrl, list, listOrNone, name, seconds, text } from "./fields.ts";
import { parseNetwork } from "./network.ts";

const network = v.pipe(
  v.string(),
  v.check((value) => parseNetwork(value) !== undefined, "a network such as 198.51.100.0/24"),
);

const pathPrefix = v.pipe(
  v.string(),
  v.maxLength(512, "at most 512 characters"),
  v.check(
    (value) => canonicalTarget(value) === value && value.endsWith("/") && !value.includes("?"),
    "a canonical path prefix that starts and ends with /",
  ),
);

const tag = v.pipe(v.string(), v.regex(/^[\x21-\x2b\x2d-\x7e]{1,128}$/, "a tag without blanks"));

const carouselPath = v.pipe(
  v.string(),
  v.maxLength(2000, "at most 2000 characters"),
  v.check((value) => canonicalTarget(value) === value, "a canonical path"),
);

const priority = v.pipe(
  v.number(),
  v.integer("0 to 9"),
  v.minValue(0, "0 to 9"),
  v.maxValue(9, "0 to 9"),
);

const popularity = v.pipe(
  v.number(),
  v.minValue(0, "0 or more"),
  v.maxValue(1e9, "at most 1000000000"),
);

const time = v.pipe(
  v.string(),
  v.isoTimestamp("a time such as 2027-01-31T20:00:00Z"),
  v.check((value) => !Number.isNaN(Date.parse(value)), "a time such as 2027-01-31T20:00:00Z"),
);

/**
 * The parts of the document, over objects that refuse fields that they do not know (what people
 * write) or pass over them (what a newer control sends).
 */
function partsOver(object: typeof v.object) {
  const region = object({
    id: name,
    name: v.optional(text),
    /** Client networks of this region; the longest match decides. */
    networks: listOrNone(network, 10_000),
    /** Regions whose edges stand in when this one has none, in order. */
    fallbacks: listOrNone(name, 16),
  });
  const site = object({ id: name, city: v.optional(text), region: v.optional(name) });
  const cacheGroup = object({
    id: name,
    /** `shield` is what ATC calls mid. */
    tier: v.picklist(["edge", "shield"]),
    site: v.optional(name),
    /** Groups of shields that it fetches from: primary, then secondary. */
    parents: listOrNone(name, 2),
    /** Groups of its own tier that stand in for it, in order. */
    fallbacks: listOrNone(name, 16),
  });
  const node = object({ cacheGroup: name, parents: listOrNone(name, 2) });
  const topology = object({
    id: name,
    description: v.optional(text),
    nodes: v.pipe(list(node, few), v.minLength(1, "at least one node")),
  });
  const deliveryService = object({
    id: name,
    /** The longest prefix of a path decides which service it belongs to. */
    prefixes: v.pipe(list(pathPrefix, 64), v.minLength(1, "at least one prefix")),
    /** The graph of groups that it uses; without it, the groups' own parents. */
    topology: v.optional(name),
    /** Where the last tier fetches; without it, from the origins of its flags. */
    origin: v.optional(httpUrl),
    /** Whether an edge may go to the origin when no shield answers. */
    goDirect: v.optional(v.boolean(), false),
    /** Surrogate keys that every response gets, so that one purge by tag takes the service. */
    tags: listOrNone(tag, 16),
    /** `drop`: the query is neither part of the key nor sent on. */
    queryString: v.optional(v.picklist(["use", "drop"]), "use"),
    /** Freshness of responses that say nothing of it. */
    defaultTtlSeconds: v.optional(seconds),
  });
  const carouselFile = object({
    path: carouselPath,
    /** 0 is carried first; what does not fit goes from the other end. */
    priority: v.optional(priority, 5),
    /** How often it is asked for, relative to others of its priority. */
    popularity: v.optional(popularity, 1),
    /** Longest time until it comes round again; without it, the headend's cycle. */
    acquisitionSeconds: v.optional(v.pipe(seconds, v.minValue(1, "1 or more seconds"))),
    /** When it leaves the carousel (RFC 3339); without it, never. */
    expires: v.optional(time),
  });
  return {
    regions: listOrNone(region, few),
    sites: listOrNone(site, few),
    cacheGroups: listOrNone(cacheGroup, few),
    topologies: listOrNone(topology, 256),
    deliveryServices: listOrNone(deliveryService, few),
    /** Files that headends repeat. */
    carousel: listOrNone(carouselFile, 4096),
    /** Limits. */
    buckets: v.optional(bucketsOver(object)),
  };
}

/** The parts as a snapshot has them: a node passes over what only a newer control knows. */
export const declaredEntries = partsOver(v.object);

/** The schema of {@link DeclaredTopology}. Each part may be left out; no other may be there. */
export const declaredTopologySchema = v.strictObject(
  partsOver(v.strictObject as unknown as typeof v.object),
);

/** The schema of the carousel plan alone. */
export const carouselSchema = declaredTopologySchema.entries.carousel;

/** What operators declare. */
export type DeclaredTopology = v.InferOutput<typeof declaredTopologySchema>;

/** One place that content is delivered from, with its rules. */
export type DeliveryService = DeclaredTopology["deliveryServices"][number];

/** One file of the carousel plan. */
export type CarouselFile = DeclaredTopology["carousel"][number];

/** Nothing declared. */
export const nothingDeclared: DeclaredTopology = v.parse(declaredTopologySchema, {});
