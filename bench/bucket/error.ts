/**
 * How exactly 1, 4 and 16 nodes hold one limit together, over a real redis-server, under skewed load:
 * `deno run -A bench/bucket/error.ts [seconds]`.
 *
 * Each node is a `LeaseLink` with a connection of its own, all in this process. Together they are asked
 * for three times the limit, by Zipf's law over the nodes, and every second another node is the busiest.
 * The exact limit is what one bucket would let in that sees all requests in order.
 *
 * @module
 */

import {
  type BucketPolicy,
  BucketTable,
  LeaseLink,
  leaseTimes,
  limitOf,
  rateOf,
  subjectOf,
} from "#bucket";

const seconds = Number(Deno.args[0] ?? 8);
const policy: BucketPolicy = {
  name: "live",
  per: "class",
  paths: ["/live/"],
  unit: "requests",
  quota: 2000,
  windowSeconds: 1,
  burst: 200,
  shared: true,
  tiers: ["edge"],
};
const rate = rateOf(policy);
const subject = subjectOf("class /live/");
const nowUs = () => Math.floor(performance.now() * 1000);
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const print = (line: string) => Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));

const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
const { port } = listener.addr as Deno.NetAddr;
listener.close();
const dir = await Deno.makeTempDir();
const redis = new Deno.Command("redis-server", {
  args: ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--dir", dir],
  stdout: "null",
}).spawn();

/** By how much the fullest window of any length was above `burst + rate * window`. */
function worstExcess(times: readonly number[]): number {
  const perUs = rate.quota / (rate.windowMs * 1000);
  let [level, worst, lastUs] = [0, 0, 0];
  for (const atUs of times) {
    level = Math.max(0, level - (atUs - lastUs) * perUs) + 1;
    worst = Math.max(worst, level);
    lastUs = atUs;
  }
  return worst - rate.burst;
}

/** Requests a second at each node: Zipf's law, the busiest another one each second. */
function loadOf(nodes: number, second: number, total: number): number[] {
  const weights = Array.from({ length: nodes }, (_, n) => 1 / (((n + second) % nodes) + 1) ** 1.2);
  const sum = weights.reduce((all, one) => all + one, 0);
  return weights.map((weight) => total * weight / sum);
}

async function measure(nodes: number, times: number) {
  const place = {
    url: new URL(`redis://127.0.0.1:${port}`),
    username: undefined,
    password: undefined,
    ca: undefined,
  };
  let leases = 0;
  const links = await Promise.all(Array.from({ length: nodes }, (_, n) =>
    LeaseLink.open({
      place,
      node: `edge-${nodes}-${n}`,
      nodes: () => nodes,
      steadyMs: () => performance.now(),
      times: { ...leaseTimes, settleUs: 200_000 },
      onLease: () => leases++,
    })));
  const books = links.map((link) => link.buckets({ ...policy, name: `live-${nodes}-${times}` }));
  while (links.some((link) => link.state !== "leasing")) await pause(20);
  const exact = new BucketTable(limitOf(rate), 8);
  const admitted: number[] = [];
  let [asked, exactly] = [0, 0];
  const owed = books.map(() => 0);
  const startMs = performance.now();
  let lastMs = startMs;
  while (performance.now() < startMs + seconds * 1000) {
    const now = performance.now();
    const load = loadOf(nodes, Math.floor((now - startMs) / 1000), rate.quota * times);
    for (let n = 0; n < nodes; n++) {
      owed[n] += load[n] * (now - lastMs) / 1000;
      for (; owed[n] >= 1; owed[n]--) {
        asked++;
        const atUs = nowUs();
        if (books[n].take(subject, 1, atUs)) admitted.push(atUs);
        if (exact.take(subject, 1, atUs)) exactly++;
      }
    }
    lastMs = now;
    await pause(2);
  }
  for (const link of links) link.close();
  const credit = Math.max(Math.ceil(rate.burst / nodes), Math.min(rate.burst, 4));
  const promised = rate.quota * leaseTimes.lifeUs / (rate.windowMs * 1000) + nodes * credit;
  const error = 100 * (admitted.length - exactly) / exactly;
  const share = (leases / asked * 100).toFixed(1);
  const excess = Math.max(0, worstExcess(admitted)).toFixed(0);
  print(
    `| ${nodes} | ${times} x limit | ${asked} | ${exactly} | ${admitted.length} | ` +
      `${error >= 0 ? "+" : ""}${error.toFixed(2)} % | ${excess} | ${promised} | ${share} % |`,
  );
}

await pause(300);
print(
  "| nodes | load | asked | exact | let in | error | fullest window above | promised | calls |",
);
print(
  "| ----- | ---- | ----- | ----- | ------ | ----- | -------------------- | -------- | ----- |",
);
try {
  for (const nodes of [1, 4, 16]) for (const times of [0.8, 3]) await measure(nodes, times);
} finally {
  redis.kill("SIGTERM");
  await redis.status;
  await Deno.remove(dir, { recursive: true });
}
