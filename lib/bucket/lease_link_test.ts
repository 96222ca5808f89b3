import assert from "node:assert/strict";
import { subjectOf } from "./bucket.ts";
import { LeaseLink, type LeaseLinkOptions, type LeaseState } from "./lease_link.ts";
import { leaseScript } from "./lease_script.ts";
import { worstExcess } from "./lease_model_rig.ts";
import { leaseTimes } from "./lease_times.ts";
import type { BucketPolicy } from "./policy.ts";
import { redisClient } from "./redis_client.ts";
import {
  eventually,
  freePort,
  hasRedis,
  needsRedis,
  pause,
  RedisServer,
  SlowProxy,
} from "./redis_rig.ts";

const policy: BucketPolicy = {
  name: "live",
  per: "class",
  paths: ["/live/"],
  unit: "requests",
  quota: 1000,
  windowSeconds: 1,
  burst: 100,
  shared: true,
  tiers: ["edge"],
};
const rate = { quota: 1000, windowMs: 1000, burst: 100 };
const subject = subjectOf("class /live/");
const steadyMs = () => performance.now();
const place = (url: URL) => ({ url, username: undefined, password: undefined, ca: undefined });
/** A shorter settling than in use, for tests that are not about it. */
const times = { ...leaseTimes, settleUs: 100_000 };

interface Node extends Disposable {
  readonly link: LeaseLink;
  readonly states: LeaseState[];
  readonly faults: string[];
  /** Takes tokens as fast as `perSecond` for a while; when each was got. */
  load(perSecond: number, ms: number): Promise<number[]>;
}

async function node(
  url: URL,
  name: string,
  options: Partial<LeaseLinkOptions> = {},
): Promise<Node> {
  const states: LeaseState[] = [];
  const faults: string[] = [];
  const link = await LeaseLink.open({
    place: place(url),
    node: name,
    nodes: () => 1,
    steadyMs,
    times,
    onState: (state) => states.push(state),
    onFault: (fault, detail) => faults.push(`${fault}: ${detail}`),
    ...options,
  });
  const book = link.buckets(policy);
  const load = async (perSecond: number, ms: number) => {
    const got: number[] = [];
    const startMs = performance.now();
    for (let done = 0, passedMs = 0; passedMs < ms;) {
      passedMs = Math.min(ms, performance.now() - startMs);
      const due = Math.floor(passedMs * perSecond / 1000);
      for (; done < due; done++) {
        const nowUs = Math.floor(performance.now() * 1000);
        if (book.take(subject, 1, nowUs)) got.push(nowUs);
      }
      await pause(2);
    }
    return got;
  };
  return { link, states, faults, load, [Symbol.dispose]: () => link.close() };
}

const ready = ({ link }: Node) => eventually("the link leases", () => link.state === "leasing");

/** By how many tokens the busiest window was above the limit. */
function excess(got: readonly number[][]): number {
  const taken = got.flat().sort((a, b) => a - b).map((atUs) => ({ atUs, tokens: 1 }));
  return worstExcess(taken, rate);
}

/** What docs/buckets.md promises: what the rate gives in the life of a lease, and the credits. */
const promised = (nodes: number) => 500 + nodes * Math.max(Math.ceil(100 / nodes), 4);

/** Timers of ioredis and of the proxy outlive their connection by a moment. */
const sanitizers = { sanitizeOps: false, sanitizeResources: false };

const test = (name: string, fn: () => Promise<void>) =>
  Deno.test({ name: `${name}${needsRedis}`, ignore: !hasRedis, ...sanitizers, fn });

test("the script is atomic: what many callers get together is what the bucket holds", async () => {
  await using redis = await RedisServer.start();
  const clients = await Promise.all(
    Array.from({ length: 8 }, () => redisClient(place(redis.url), 5000)),
  );
  await Promise.all(clients.map((client) => client.connect()));
  // One token an hour: none comes back meanwhile.
  const limit = [3_600_000_000, 1, 500 * 3_600_000_000, 0, 10_000];
  const asked = clients.flatMap((client, n) =>
    Array.from({ length: 50 }, () => client.downlinkLease("bucket", `n${n}`, 3, 0, ...limit))
  );
  const answers = await Promise.all(asked) as number[][];
  for (const client of clients) client.disconnect();
  assert.equal(answers.reduce((sum, [granted]) => sum + granted, 0), 500);
  assert.ok(answers.some(([granted]) => granted === 0));
});

test("the script keeps numbers whole, forgets nodes that fell silent, and its key in time", async () => {
  await using redis = await RedisServer.start();
  const client = await redisClient(place(redis.url), 5000);
  await client.connect();
  const lease = (node: string, want: number, spent: number, demand: number) =>
    client.downlinkLease("b", node, want, spent, 1e6, 10, 100 * 1e6, demand, 60) as Promise<
      number[]
    >;
  assert.deepEqual(await lease("a", 10, 0, 9000), [10, 0, 1_000_000, 1, 90]);
  const [granted, waitUs, part, nodes, left] = await lease("b", 200, 0, 9000);
  assert.deepEqual([granted, nodes, left], [90, 2, 0]);
  assert.ok(waitUs > 90_000 && waitUs <= 100_000, `${waitUs}`);
  // The first has all of it, until it asks again; a newcomer goes on with some all the same.
  assert.equal(part, 125_000);
  assert.equal((await lease("a", 0, 0, 9000))[2], 500_000);
  assert.match((await client.hget("b", "at"))!, /^\d{16}$/);
  // Debt is taken over, up to as much again.
  assert.equal((await lease("a", 1, 1000, 0))[4], 0);
  assert.equal(await client.hget("b", "level"), "200000000");
  // A level of 15 digits keeps them all.
  const large = 123_456_789_012_345;
  await client.downlinkLease("large", "a", 1, 0, large, 1, 8 * large, 0, 60);
  assert.equal(await client.hget("large", "level"), String(large));
  await pause(100);
  assert.equal((await lease("a", 0, 0, 0))[3], 1);
  const ttl = await client.pttl("b");
  assert.ok(ttl > 15_000 && ttl <= 20_060, `${ttl}`);
  client.disconnect();
});

test("a clock of Redis that steps back gives nothing away", async () => {
  await using redis = await RedisServer.start();
  const client = await redisClient(place(redis.url), 5000);
  await client.connect();
  const future = (Date.now() + 3_600_000) * 1000;
  await client.hset("b", "level", "100000000", "at", String(future));
  const lease = () => client.downlinkLease("b", "a", 5, 0, 1e6, 10, 100 * 1e6, 0, 60);
  assert.deepEqual((await lease() as number[]).slice(0, 1), [0]);
  await pause(120);
  // From then on it goes by the new time.
  assert.deepEqual((await lease() as number[]).slice(0, 1), [1]);
  client.disconnect();
});

test("four nodes with uneven load hold one limit, and use all of it", async () => {
  await using redis = await RedisServer.start();
  const nodes = await Promise.all(
    ["a", "b", "c", "d"].map((name) => node(redis.url, name, { nodes: () => 4 })),
  );
  await Promise.all(nodes.map(ready));
  const load = [3000, 500, 100, 20];
  const got = await Promise.all(nodes.map((one, n) => one.load(load[n], 1500)));
  for (const one of nodes) one[Symbol.dispose]();
  const total = got.flat().length;
  assert.ok(total >= 0.85 * 1500, `${total}`);
  const over = excess(got);
  assert.ok(over <= promised(4), `${over}`);
  for (const one of nodes) assert.deepEqual(one.faults, []);
});

test("Redis killed: nodes go on with their parts; back and empty: they lease again", async () => {
  await using redis = await RedisServer.start();
  const nodes = await Promise.all(
    ["a", "b"].map((name) => node(redis.url, name, { nodes: () => 2 })),
  );
  await Promise.all(nodes.map(ready));
  const load = [2000, 1000];
  const all = () => Promise.all(nodes.map((one, n) => one.load(load[n], 600)));
  const before = await all();
  await redis.kill();
  await eventually("both notice", () => nodes.every(({ link }) => link.state === "away"));
  const during = await all();
  await redis.start();
  await Promise.all(nodes.map(ready));
  const after = await all();
  for (const one of nodes) one[Symbol.dispose]();
  const sum = during.flat().length;
  assert.ok(sum >= 300 && sum <= 1.25 * 600 + 200, `${sum} while it was gone`);
  // One more burst and one more credit at its end, and a quarter of the rate while it is away.
  const over = excess([...before, ...during, ...after]);
  assert.ok(over <= promised(2) + 100 + 100 + 0.25 * 2000, `${over}`);
  assert.deepEqual(nodes[0].states.slice(0, 5), [
    "settling",
    "leasing",
    "away",
    "settling",
    "leasing",
  ]);
});

test("Redis frozen, its connections open: nodes notice, decide at once, and come back", async () => {
  await using redis = await RedisServer.start();
  using one = await node(redis.url, "a");
  await ready(one);
  redis.freeze();
  const got = await one.load(500, 800);
  assert.equal(one.link.state, "away");
  assert.ok(got.length >= 250, `${got.length} were let in`);
  redis.thaw();
  await ready(one);
  assert.ok(one.faults.some((fault) => fault.startsWith("slow")), one.faults.join());
});

test("a Redis that is slow, but not too slow, is leased from; one that is too slow is away", async () => {
  await using redis = await RedisServer.start();
  using proxy = new SlowProxy(redis.port);
  using one = await node(proxy.url, "a");
  await ready(one);
  proxy.delayMs = 60;
  const slow = await one.load(2000, 1000);
  // A machine that is busy elsewhere may make one answer of many too slow: it leases again then.
  await ready(one);
  assert.ok(slow.length >= 800 && excess([slow]) <= promised(1), `${slow.length}`);
  proxy.delayMs = 400;
  const tooSlow = await one.load(2000, 1000);
  assert.equal(one.link.state, "away");
  assert.ok(tooSlow.length >= 800 && excess([tooSlow]) <= promised(1), `${tooSlow.length}`);
});

test("a node that starts before Redis decides alone, and leases when Redis is there", async () => {
  const port = freePort();
  using one = await node(new URL(`redis://127.0.0.1:${port}`), "a");
  const got = await one.load(2000, 300);
  assert.ok(got.length >= 250 && excess([got]) <= 20, `${got.length}`);
  assert.equal(one.link.state, "away");
  assert.ok(one.faults.some((fault) => fault.startsWith("unreachable")), one.faults.join());
});

test("a wrong password is a fault that says so and does not show the password", async () => {
  await using redis = await RedisServer.start("--requirepass", "correct-horse");
  const secret = "wrong-battery-staple";
  using one = await node(redis.url, "a", { place: { ...place(redis.url), password: secret } });
  await eventually("the fault is told", () => one.faults.length > 0);
  assert.ok(one.faults.some((fault) => /^refused: .*WRONGPASS/.test(fault)), one.faults.join());
  assert.ok(!one.faults.join().includes(secret));
  assert.equal(one.link.state, "away");
  using other = await node(redis.url, "b", {
    place: { ...place(redis.url), password: "correct-horse" },
  });
  await ready(other);
});

test("a user with no more rights than the script needs can lease", async () => {
  const acl = "user edge on >secret-of-edge resetkeys ~downlink:bucket:* -@all +ping +info " +
    "+evalsha +eval +script|load +script|exists +client|setname +select " +
    "+time +hgetall +hset +hdel +pexpire";
  const file = await Deno.makeTempFile({ suffix: ".acl" });
  await Deno.writeTextFile(file, `user default off\n${acl}\n`);
  await using redis = await RedisServer.start("--aclfile", file);
  using one = await node(redis.url, "a", {
    place: { ...place(redis.url), username: "edge", password: "secret-of-edge" },
  });
  await ready(one);
  const got = await one.load(500, 400);
  await Deno.remove(file);
  assert.equal(one.link.state, "leasing", one.faults.join());
  assert.ok(got.length >= 150, `${got.length}`);
});

test("Redis over TLS: leased from when its certificate is trusted, and not otherwise", async () => {
  const dir = await Deno.makeTempDir({ prefix: "downlink-redis-tls-" });
  const files = ["-keyout", `${dir}/key.pem`, "-out", `${dir}/cert.pem`];
  const { success } = await new Deno.Command("openssl", {
    args: ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
      .concat(["-days", "2", "-subj", "/CN=redis", "-addext", "basicConstraints=critical,CA:FALSE"])
      .concat(["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", ...files]),
    stderr: "null",
  }).output();
  assert.ok(success);
  const tlsPort = freePort();
  await using _redis = await RedisServer.start(
    ...["--tls-port", String(tlsPort), "--tls-auth-clients", "no"],
    ...["--tls-cert-file", `${dir}/cert.pem`, "--tls-key-file", `${dir}/key.pem`],
    ...["--tls-ca-cert-file", `${dir}/cert.pem`],
  );
  const ca = await Deno.readTextFile(`${dir}/cert.pem`);
  const url = new URL(`rediss://localhost:${tlsPort}`);
  using trusting = await node(url, "a", { place: { ...place(url), ca } });
  await ready(trusting);
  assert.ok((await trusting.load(500, 300)).length >= 100);
  assert.equal(trusting.link.state, "leasing");
  using wary = await node(url, "b");
  await eventually("the fault is told", () => wary.faults.length > 0);
  assert.equal(wary.link.state, "away");
  await Deno.remove(dir, { recursive: true });
});

Deno.test("the script touches the key that it declares, and no other", () => {
  const calls = [...leaseScript.matchAll(/redis\.call\('(\w+)'(?:, (\w+\[\d\]))?/g)];
  assert.ok(calls.length >= 4);
  for (const [, command, key] of calls) {
    assert.equal(key, command === "TIME" ? undefined : "KEYS[1]");
  }
});
