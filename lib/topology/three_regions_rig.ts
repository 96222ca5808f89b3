/**
 * A snapshot of three regions for tests: each with a shield group of two and an edge group of two.
 *
 * @module
 */

import * as v from "valibot";
import { declaredTopologySchema } from "./declared.ts";
import type { TopologySnapshot } from "./snapshot.ts";

const regions = ["eu", "us", "ap"];
const others = (id: string) => regions.filter((other) => other !== id);
const cache = (id: string, cacheGroup: string) => {
  return { id, url: `http://${id}.example:8080`, cacheGroup, weight: 1 };
};

/** Makes it. */
export function threeRegions(): TopologySnapshot {
  const declared = v.parse(declaredTopologySchema, {
    regions: regions.map((id, i) => ({ id, networks: [`10.${i}.0.0/16`], fallbacks: others(id) })),
    sites: regions.map((id) => ({ id: `${id}-1`, region: id })),
    cacheGroups: regions.flatMap((id) => {
      const [next, last] = others(id);
      const site = `${id}-1`;
      return [
        { id: `${id}-shield`, tier: "shield", site, fallbacks: [`${last}-shield`] },
        { id: `${id}-edge`, tier: "edge", site, parents: [`${id}-shield`, `${next}-shield`] },
      ];
    }),
    topologies: [{
      id: "one-way",
      nodes: [
        { cacheGroup: "eu-shield" },
        { cacheGroup: "us-shield", parents: ["eu-shield"] },
        { cacheGroup: "us-edge", parents: ["us-shield"] },
        { cacheGroup: "eu-edge", parents: ["eu-shield"] },
      ],
    }],
    deliveryServices: [
      { id: "vod", prefixes: ["/vod/"], tags: ["vod"], queryString: "drop" },
      { id: "live", prefixes: ["/live/", "/vod/live/"], topology: "one-way" },
      {
        id: "fast",
        prefixes: ["/fast/"],
        origin: "http://origin.example",
        goDirect: true,
        defaultTtlSeconds: 60,
      },
    ],
  });
  const tier = (name: string) =>
    regions.flatMap((id) => [1, 2].map((n) => cache(`${id}-${name}-${n}`, `${id}-${name}`)))
      .sort((a, b) => a.id < b.id ? -1 : 1);
  return {
    ...declared,
    number: 1,
    controlId: "control-1",
    issuedMs: 0,
    shields: tier("shield"),
    edges: tier("edge"),
    headends: [],
  };
}
