/**
 * What a decision costs: `deno bench bench/bucket/decisions_bench.ts`.
 *
 * @module
 */

import {
  Admission,
  BucketTable,
  LeaseBook,
  leaseTimes,
  limitOf,
  type Subject,
  subjectOf,
} from "#bucket";

const rate = { quota: 1000, windowMs: 1000, burst: 1000 };
const clients = Array.from(
  { length: 1 << 16 },
  (_, n) => subjectOf(`client 198.${18 + (n >> 16)}.${(n >> 8) & 255}.${n & 255}`),
);
const nowUs = () => Math.floor(performance.now() * 1000);
let turn = 0;
const next = (): Subject => clients[turn++ & 0xffff];

const table = new BucketTable(limitOf(rate), 1 << 16);
const one = clients[7];

Deno.bench("GCRA, one client, with the clock", { group: "table", baseline: true }, () => {
  table.take(one, 1, nowUs());
});

Deno.bench("GCRA, 65,536 clients in turn, with the clock", { group: "table" }, () => {
  table.take(next(), 1, nowUs());
});

let stranger = 0;
const strangers = new BucketTable(limitOf(rate), 1 << 16);
Deno.bench("GCRA, each client a new one", { group: "table" }, () => {
  strangers.take({ name: "", hash: { low: stranger++, high: stranger } }, 1, nowUs());
});

Deno.bench("a client's hash: once a connection", { group: "table" }, () => {
  subjectOf("client 198.51.100.42");
});

const book = new LeaseBook({
  rate: { quota: 1e9, windowMs: 1000, burst: 1e6 },
  times: leaseTimes,
  nodes: () => 1,
  most: 1 << 16,
  onWork: () => {},
});
book.back(0);
book.settled(0);
Deno.bench("leased, one class of paths", { group: "lease", baseline: true }, () => {
  if (!book.take(one, 1, nowUs())) {
    for (const call of book.due(nowUs(), 10)) {
      const answer = { granted: call.want, waitUs: 0, part: 1, nodes: 1, left: 1e6 };
      book.answered(call, answer, nowUs());
    }
  }
});

const policy = {
  name: "clients",
  per: "client",
  paths: [],
  unit: "requests",
  quota: 1e6,
  windowSeconds: 1,
  shared: false,
  tiers: ["edge"],
} as const;
const head = {
  method: "GET",
  target: "/live/one/segment-1.m4s",
  fields: [["host", "edge"]],
} as const;
const random = () => 0;

/** An admission under the given number of policies, by client and by class. */
function admissionOf(policies: readonly Parameters<Admission["replace"]>[0][number][]): Admission {
  const admission = new Admission({ tier: "edge" });
  admission.replace(policies);
  return admission;
}

const none = admissionOf([]);
Deno.bench("admission, no policy", { group: "admission", baseline: true }, () => {
  if (none.active) none.admit(head, one, { nowUs: nowUs(), random });
});

const byClient = admissionOf([policy]);
Deno.bench("admission, by client", { group: "admission" }, () => {
  byClient.admit(head, next(), { nowUs: nowUs(), random });
});

const paths = ["/live/", "/vod/", "/fast/"];
const three = admissionOf([
  policy,
  { ...policy, name: "classes", per: "class", paths, quota: 1e9 },
  { ...policy, name: "node", per: "node", quota: 1e9 },
]);
Deno.bench("admission, by client, class and node", { group: "admission" }, () => {
  three.admit(head, next(), { nowUs: nowUs(), random });
});

const tokens = admissionOf([{ ...policy, per: "token" }]);
const bearer = { ...head, fields: [["authorization", `Bearer ${"x".repeat(40)}`]] } as const;
Deno.bench("admission, by token", { group: "admission" }, () => {
  tokens.admit(bearer, next(), { nowUs: nowUs(), random });
});

const tight = admissionOf([{ ...policy, quota: 1, windowSeconds: 3600, burst: 1 }]);
Deno.bench("admission, refused with 429", { group: "admission" }, () => {
  tight.admit(head, one, { nowUs: nowUs(), random });
});
