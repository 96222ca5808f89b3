/**
 * Request routing for clients, as Apache Traffic Control's Traffic Router does it over HTTP: from what
 * is asked, where the client is and how the edges are to one edge. Pure.
 *
 * @module
 */

import { canonicalTarget } from "#http";
import {
  type CacheNode,
  type EdgeQuestion,
  edgeTiers,
  NetworkTable,
  regionOfGroup,
  rendezvous,
  serviceOf,
  type TopologySnapshot,
} from "#topology";

/** What a client asks. */
export interface RouteQuestion {
  /** Path and query as they came, without what is meant for the router. */
  readonly target: string;
  /** The region that the client names. */
  readonly region?: string;
  /** The client's IP address. */
  readonly address?: string;
}

/** Where a client should go; the words are metric labels. */
export type Route =
  | {
    readonly kind: "edge";
    readonly location: string;
    readonly edge: string;
    /** Region of the client, if that is known, and of the edge. */
    readonly region: string | undefined;
    readonly edgeRegion: string | undefined;
    readonly service: string | undefined;
  }
  | { readonly kind: "bad_target" }
  | { readonly kind: "unknown_region" }
  | { readonly kind: "no_service" }
  | { readonly kind: "no_edge" };

/** What of a query is for the router and goes no further. */
const ownParameters: ReadonlySet<string> = new Set(["region", "format"]);

/** Most pairs of region and service whose edges are remembered. */
const maxTiers = 1024;

/** Routes clients over one snapshot at a time. */
export class Router {
  #topology: TopologySnapshot | undefined;
  #networks = new NetworkTable<string>([]);
  /** Edges by region and service: only their order depends on the path. */
  readonly #tiers = new Map<string, readonly (readonly CacheNode[])[]>();

  /**
   * Finds the edge of a client. One path comes from one edge of a region as long as that is available;
   * when an edge leaves, only its own paths move.
   */
  route(
    question: RouteQuestion,
    topology: TopologySnapshot,
    unavailable: ReadonlySet<string>,
  ): Route {
    this.#follow(topology);
    const target = canonicalTarget(question.target);
    if (target === undefined) return { kind: "bad_target" };
    const { deliveryServices, regions } = topology;
    const named = question.region;
    if (named !== undefined && !regions.some(({ id }) => id === named)) {
      return { kind: "unknown_region" };
    }
    const service = serviceOf(target, deliveryServices);
    if (service === undefined && deliveryServices.length > 0) return { kind: "no_service" };
    const region = named ?? this.#networks.find(question.address ?? "");
    const edge = this.#firstAvailable({ target, region, service }, topology, unavailable);
    if (edge === undefined) return { kind: "no_edge" };
    return {
      kind: "edge",
      location: `${edge.url.replace(/\/+$/, "")}${target}`,
      edge: edge.id,
      region,
      edgeRegion: regionOfGroup(topology, edge.cacheGroup),
      service: service?.id,
    };
  }

  #follow(topology: TopologySnapshot): void {
    if (topology === this.#topology) return;
    this.#topology = topology;
    this.#tiers.clear();
    this.#networks = new NetworkTable(
      topology.regions.flatMap(({ id, networks }) =>
        networks.map((network) => [network, id] as const)
      ),
    );
  }

  #firstAvailable(
    { target, region, service }: EdgeQuestion,
    topology: TopologySnapshot,
    unavailable: ReadonlySet<string>,
  ): CacheNode | undefined {
    const place = `${region ?? ""} ${service?.id ?? ""}`;
    let tiers = this.#tiers.get(place);
    if (tiers === undefined) {
      if (this.#tiers.size >= maxTiers) this.#tiers.clear();
      this.#tiers.set(place, tiers = edgeTiers({ region, service }, topology));
    }
    const [path] = target.split("?", 1);
    for (const tier of tiers) {
      const found = rendezvous(path, tier).find(({ id }) => !unavailable.has(id));
      if (found !== undefined) return found;
    }
    return undefined;
  }
}

/** Splits the router's own parameters from the query that goes on to the edge. */
export function splitQuery(query: string): { own: URLSearchParams; rest: string } {
  const own: string[] = [], rest: string[] = [];
  for (const part of query.split("&")) {
    if (part === "") continue;
    (ownParameters.has(part.split("=")[0]) ? own : rest).push(part);
  }
  return { own: new URLSearchParams(own.join("&")), rest: rest.join("&") };
}
