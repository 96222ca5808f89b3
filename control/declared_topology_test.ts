import assert from "node:assert/strict";
import fc from "fast-check";
import { readDeclared } from "./declared_topology.ts";

const group = (id: string, tier: string, more = {}) => ({ id, tier, ...more });

Deno.test("a declaration gets its empty lists", () => {
  const sites = [{ id: "lon" }];
  const cacheGroups = [group("e", "edge", { site: "lon", parents: ["m"] }), group("m", "shield")];
  assert.deepEqual(readDeclared({ sites, cacheGroups }), {
    kind: "declared",
    declared: {
      sites,
      cacheGroups: [
        { id: "e", tier: "edge", site: "lon", parents: ["m"], fallbacks: [] },
        { id: "m", tier: "shield", parents: [], fallbacks: [] },
      ],
    },
  });
});

const refused = [
  { what: "no object", body: 7, says: /need Object as body: received 7$/ },
  { what: "a word too much", body: { groups: [] }, says: /as groups/ },
  { what: "a site twice", body: { sites: [{ id: "a" }, { id: "a" }] }, says: /each site once/ },
  {
    what: "a group twice",
    body: { cacheGroups: [group("a", "edge"), group("a", "shield")] },
    says: /each cache group once/,
  },
  {
    what: "an unknown site",
    body: { cacheGroups: [group("a", "edge", { site: "lon" })] },
    says: /a site of a: received lon$/,
  },
  {
    what: "an unknown parent",
    body: { cacheGroups: [group("a", "edge", { parents: ["b"] })] },
    says: /a known group beside a: received b$/,
  },
  {
    what: "three parents",
    body: { cacheGroups: [group("a", "edge", { parents: ["b", "c", "d"] })] },
    says: /as cacheGroups\.0\.parents/,
  },
  {
    what: "a fallback of another tier",
    body: { cacheGroups: [group("a", "edge", { fallbacks: ["b"] }), group("b", "shield")] },
    says: /fallbacks of a in its tier: received b$/,
  },
  {
    what: "itself as fallback",
    body: { cacheGroups: [group("a", "edge", { fallbacks: ["a"] })] },
    says: /fallbacks of a in its tier: received a$/,
  },
  {
    what: "a circle",
    body: {
      cacheGroups: [
        group("a", "edge", { parents: ["b"] }),
        group("b", "shield", { parents: ["c"] }),
        group("c", "shield", { parents: ["b"] }),
      ],
    },
    says: /without a circle: received one through b$/,
  },
];
for (const { what, body, says } of refused) {
  Deno.test(`a declaration with ${what} is refused in one sentence`, () => {
    const reading = readDeclared(body);
    assert.equal(reading.kind, "refused");
    const sentence = reading.kind === "refused" ? reading.sentence : "";
    assert.match(sentence, /^Cannot declare this topology: need [^\n]+$/);
    assert.match(sentence, says);
  });
}

Deno.test("readDeclared() never throws and always ends", () => {
  const id = fc.constantFrom("a", "b", "c", "d");
  const shaped = fc.record({
    cacheGroups: fc.array(
      fc.record({
        id,
        tier: fc.constantFrom("edge", "shield"),
        parents: fc.array(id, { maxLength: 3 }),
        fallbacks: fc.array(id, { maxLength: 2 }),
      }),
    ),
  });
  fc.assert(fc.property(fc.oneof(fc.anything(), shaped), (body) => {
    readDeclared(body);
  }));
});
