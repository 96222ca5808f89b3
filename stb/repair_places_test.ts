import assert from "node:assert/strict";
import type { RepairTerms } from "./channels.ts";
import { RepairPlaces } from "./repair_places.ts";

function terms(...urls: [url: string, weight: number][]): RepairTerms {
  return {
    baseUrls: urls.map(([url, weight]) => ({ url, weight })),
    objectBaseUri: "http://dvb.gw/",
    receptionTimeoutMs: undefined,
    fixedMs: 0,
    randomMs: 0,
  };
}

function places(given: readonly string[], edges: readonly string[] = []) {
  const connected: string[] = [];
  const repairPlaces = new RepairPlaces({
    given: given.map((url) => new URL(url)),
    connect: (url) => (connected.push(url.href), { fetch: () => Promise.reject() }),
    edges: () => edges.map((url) => ({ url })),
  });
  return { repairPlaces, connected };
}

Deno.test("RepairPlaces tries what was given, then the configuration's, then the topology's", () => {
  const { repairPlaces, connected } = places(["http://a/"], ["http://c"]);
  const tiers = repairPlaces.tiers(terms(["http://b/x/", 3]));
  assert.deepEqual(tiers.map((tier) => tier.map(({ id, weight }) => [id, weight])), [
    [["http://a/", 1]],
    [["http://b/x/", 3]],
    [["http://c/", 1]],
  ]);
  assert.equal(tiers[1][0].objectBaseUri, "http://dvb.gw/");
  repairPlaces.tiers(undefined);
  assert.deepEqual(connected, ["http://a/", "http://b/x/", "http://c/"]);
});

Deno.test("RepairPlaces lists each place once, and none that is turned off or no HTTP URL", () => {
  const { repairPlaces } = places([], ["http://b"]);
  const configured = [
    terms(["http://a", 1], ["http://off", 0]),
    terms(["http://a/", 2], ["ftp://x/", 1], ["junk", 1]),
  ];
  assert.deepEqual(repairPlaces.inOrder(configured).map(({ id }) => id), [
    "http://a/",
    "http://b/",
  ]);
  assert.deepEqual(repairPlaces.inOrder([]).map(({ id }) => id), ["http://b/"]);
});
