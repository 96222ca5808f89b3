import assert from "node:assert/strict";
import fc from "fast-check";
import { heightOf, layOut, linkPath } from "./page/layout.js";
import {
  countWords,
  curve,
  formatAgo,
  formatBitRate,
  formatBytes,
  formatCount,
  formatRate,
  formatShare,
  healthOf,
  purgeTitle,
  purgeWords,
  readOrder,
  roadShares,
  SeriesBook,
  topologyGraph,
  waitWords,
  worstSign,
} from "./page/model.js";
import { constraintsOf, typeOf } from "./page/schema_words.js";

Deno.test("rates come from totals; a restart and a step that is not over count as nothing", () => {
  const book = new SeriesBook();
  const totals = [0, 50, 100, 20, 70].map((requests) => ({ requests }));
  const atMs = [0, 5000, 10_000, 15_000, 20_000];
  book.load({ stepMs: 5000, series: { a: { atMs, totals } } });
  assert.deepEqual(book.rates("a", "requests"), [10, 10, 0, 10]);
  book.push("a", { requests: 71 }, 21_000);
  assert.deepEqual(book.rates("a", "requests"), [10, 10, 0, 10]);
  book.push("a", { requests: 120 }, 25_000); // replaces the one before: its step was not over
  assert.deepEqual(book.rates("a", "requests"), [10, 10, 0, 10, 10]);
  assert.deepEqual(book.rates("b", "requests"), []);
  book.load({ stepMs: 5000, series: { a: { atMs: [0], totals: [{}] } } });
  assert.deepEqual(book.rates("a", "requests"), []);
});

Deno.test("rates of several are added from the end backwards", () => {
  const book = new SeriesBook();
  const series = (...requests: number[]) => ({
    atMs: requests.map((_, i) => i * 5000),
    totals: requests.map((count) => ({ requests: count })),
  });
  book.load({ stepMs: 5000, series: { a: series(0, 5, 15), b: series(0, 10) } });
  assert.deepEqual(book.sum(["a", "b", "c"], "requests"), [1, 4]);
});

Deno.test("only so many samples are kept", () => {
  const book = new SeriesBook();
  for (let i = 0; i < 200; i++) book.push("a", { n: i }, i * 5000);
  assert.equal(book.rates("a", "n").length, 59);
});

Deno.test("a curve stays in its box", () => {
  assert.deepEqual(curve([1], 10, 10), { line: "", area: "" });
  fc.assert(fc.property(fc.array(fc.double({ min: 0, max: 1e12, noNaN: true })), (values) => {
    const points = curve(values, 100, 20).line.match(/[\d.]+ [\d.]+/g) ?? [];
    for (const [x, y] of points.map((point: string) => point.split(" ").map(Number))) {
      assert.ok(x >= 0 && x <= 100 && y >= 0 && y <= 20, `${x} ${y}`);
    }
  }));
});

Deno.test("shares of roads: in order, what is unknown last, nothing of nothing", () => {
  const shares = roadShares({ disk: 25, odd: 25, memory: 50 }, ["memory", "disk", "fill"]);
  assert.deepEqual(
    shares.map(({ road, share }: { road: string; share: number }) => [road, share]),
    [
      ["memory", 0.5],
      ["disk", 0.25],
      ["other", 0.25],
    ],
  );
  assert.deepEqual(roadShares({}, ["memory"]), []);
});

// One row for each way in which a node can be.
const healths = [
  { node: { available: true, state: "live", status: "REPORTED" }, is: "good available" },
  { node: { available: true, state: "late", status: "REPORTED" }, is: "late late" },
  { node: { available: true, state: "live", status: "ONLINE" }, is: "good forced available" },
  { node: { available: false, reason: "missed_heartbeats" }, is: "late silent" },
  { node: { available: false, reason: "error_ratio" }, is: "bad too many errors" },
  { node: { available: false, reason: "load" }, is: "bad overloaded" },
  {
    node: { available: false, reason: "admin_down", statusReason: "disk" },
    is: "off drained: disk",
  },
  { node: { available: false, reason: "offline" }, is: "off offline" },
];
for (const { node, is } of healths) {
  Deno.test(`a node with ${JSON.stringify(node)} is ${is}`, () => {
    const { sign, words } = healthOf(node);
    assert.equal(`${sign} ${words}`, is);
  });
}

Deno.test("the gravest sign of a group", () => {
  assert.equal(worstSign(["good", "off", "late"]), "late");
  assert.equal(worstSign(["good", "bad", "late"]), "bad");
  assert.equal(worstSign([]), "good");
});

const topology = {
  sites: [{ id: "fra", region: "eu" }],
  cacheGroups: [
    { id: "main", tier: "shield", parents: [], fallbacks: [] },
    { id: "backup", tier: "shield", parents: [], fallbacks: [] },
    { id: "eu", tier: "edge", site: "fra", parents: ["main", "backup"], fallbacks: ["us"] },
    { id: "us", tier: "edge", parents: ["main"], fallbacks: [] },
  ],
  deliveryServices: [{ origin: "http://origin.example:80/x" }],
};
const node = (id: string, role: string, cacheGroup?: string) => ({ id, role, cacheGroup });

Deno.test("the graph: tiers of groups, links to parents, fallbacks and homes", () => {
  const nodes = [
    node("s1", "shield", "main"),
    node("e10", "edge", "eu"),
    node("e2", "edge", "eu"),
    node("stray", "edge", "gone"),
    node("h1", "headend"),
  ];
  const { tiers, links } = topologyGraph(topology, nodes, [{ id: "eu" }, { id: "ap" }]);
  const groups = tiers.map(({ id, groups }: { id: string; groups: { id: string }[] }) =>
    `${id}: ${groups.map((group) => group.id).join(" ")}`
  );
  assert.deepEqual(groups, [
    "origin: origin",
    "shield: shield:main shield:backup",
    "edge: edge:eu edge:us edge: headend:",
    "home: home:eu home:ap",
  ]);
  const [first] = tiers[2].groups;
  assert.deepEqual(first.nodes.map(({ id }: { id: string }) => id), ["e2", "e10"]);
  const words = links.map(({ from, to, kind }: Record<string, string>) => `${from} ${kind} ${to}`);
  for (
    const link of [
      "edge:eu primary shield:main",
      "edge:eu secondary shield:backup",
      "edge:eu fallback edge:us",
      "edge:us primary shield:main",
      "edge: primary shield:main",
      "home:eu home edge:eu",
      "home:ap home edge:us",
      "home:eu satellite headend:",
    ]
  ) assert.ok(words.includes(link), link);
  assert.ok(!words.includes("home:eu home edge:us"));
});

Deno.test("without any node or declaration there is the origin alone", () => {
  const nothing = { sites: [], cacheGroups: [], deliveryServices: [] };
  assert.deepEqual(topologyGraph(nothing, [], []).tiers.map(({ id }: { id: string }) => id), [
    "origin",
  ]);
});

Deno.test("boxes of a layout lie in the drawing and not on each other, wide and narrow", () => {
  const group = fc.record({
    count: fc.nat({ max: 40 }),
    home: fc.boolean(),
  });
  const tiers = fc.array(fc.array(group, { minLength: 1, maxLength: 9 }), {
    minLength: 1,
    maxLength: 4,
  });
  fc.assert(fc.property(tiers, fc.integer({ min: 300, max: 1600 }), (shape, width) => {
    const made = shape.map((groups, t) => ({
      id: `t${t}`,
      title: "",
      groups: groups.map(({ count, home }, g) => ({
        id: `${t}.${g}`,
        nodes: Array.from({ length: count }, (_, i) => node(`n${i}`, "edge")),
        ...(home ? { region: {} } : {}),
      })),
    }));
    const layout = layOut(made, width);
    const boxes = [...layout.boxes.values()];
    for (const [i, a] of boxes.entries()) {
      assert.ok(a.x >= 0 && a.x + a.width <= width + 0.01, `width ${width}`);
      assert.ok(a.y >= 0 && a.y + a.height <= layout.height, `height ${layout.height}`);
      for (const b of boxes.slice(i + 1)) {
        const apart = a.x + a.width <= b.x + 0.01 || b.x + b.width <= a.x + 0.01 ||
          a.y + a.height <= b.y + 0.01 || b.y + b.height <= a.y + 0.01;
        assert.ok(apart, JSON.stringify([a, b]));
      }
    }
  }));
  assert.ok(heightOf({ nodes: [] }, 200) < heightOf({ nodes: [node("a", "edge")] }, 200));
});

Deno.test("a link is a path between its boxes", () => {
  const box = (x: number, y: number) => ({ x, y, width: 10, height: 10 });
  for (const narrow of [true, false]) {
    for (const to of [box(0, 40), box(40, 0), box(40, 40)]) {
      assert.match(linkPath(box(0, 0), to, narrow), /^M[-\d. ]+C[-\d. ]+$/);
    }
  }
});

Deno.test("figures are short and never pretend", () => {
  assert.deepEqual([0, 999, 1000, 182_345, 1_420_000, 3e13].map(formatBytes), [
    "0 B",
    "999 B",
    "1.00 kB",
    "182 kB",
    "1.42 MB",
    "30.0 TB",
  ]);
  assert.equal(formatBitRate(1_000_000), "8.00 Mbit/s");
  assert.deepEqual([undefined, 0, 0.0001, 0.5, 0.934, 0.99951, 1, 2.5].map(formatShare), [
    "–",
    "0 %",
    "< 0.1 %",
    "50 %",
    "93.4 %",
    "> 99.9 %",
    "100 %",
    "250 %",
  ]);
  assert.deepEqual([0, 0.44, 3.44, 12.4, 12_345].map(formatRate), [
    "0",
    "0.4",
    "3.4",
    "12",
    "12.3 k",
  ]);
  assert.equal(formatCount(1234567), "1\u202f234\u202f567");
  const ages = [-5, 2000, 12_000, 120_000, 7_200_000, 200_000_000];
  assert.deepEqual(ages.map(formatAgo), ["now", "now", "12 s", "2 min", "2 h", "2 d"]);
});

Deno.test("purges in words", () => {
  assert.equal(purgeTitle({ kind: "all", values: [] }), "everything");
  assert.equal(purgeTitle({ kind: "tag", values: ["a", "b", "c"] }), "a and 2 more");
  const words = (state: string, applied: number, total: number) =>
    purgeWords({ state, nodes: { total, applied } });
  assert.equal(words("in_progress", 1, 3), "1 of 3 nodes");
  assert.equal(words("completed", 3, 3), "on all 3 nodes");
  assert.equal(words("completed", 0, 0), "no node to wait for");
  assert.equal(waitWords({ id: "e", why: "away", lastSeenMs: 0 }, 60_000), "e (silent for 60 s)");
  assert.equal(waitWords({ id: "e", why: "behind", behindBy: 2 }, 0), "e (2 behind)");
  const nodes = { total: 3, answered: 2 };
  assert.equal(
    countWords({ objects: 1, bytes: 2000, nodes }),
    "It would hit 1 object (2.00 kB) on 2 caches. 1 of 3 did not answer.",
  );
});

Deno.test("an order from the form: values by lines, tags by blanks too, or what is missing", () => {
  const read = (kind: string, text: string) => readOrder({ kind, text, soft: false });
  assert.deepEqual(read("url", " /a,b \n\n/c"), {
    order: { kind: "url", values: ["/a,b", "/c"], soft: false },
  });
  assert.deepEqual(read("tag", "a b,c"), {
    order: { kind: "tag", values: ["a", "b", "c"], soft: false },
  });
  assert.deepEqual(read("all", "x"), { order: { kind: "all", soft: false } });
  assert.match(read("prefix", " ").problem ?? "", /at least one path/);
});

Deno.test("schemas in words", () => {
  assert.equal(typeOf({ $ref: "#/components/schemas/Node" }), "Node");
  assert.equal(typeOf({ type: "array", items: { type: "integer" } }), "list of integer");
  assert.equal(typeOf({ anyOf: [{ type: "integer" }, { type: "null" }] }), "integer or null");
  assert.equal(typeOf({ enum: ["a", "b"] }), '"a" or "b"');
  assert.equal(typeOf({}), "any");
  assert.deepEqual(constraintsOf({ minimum: 1, maximum: 9, default: 2 }), [
    "1 or more",
    "at most 9",
    "default 2",
  ]);
});
