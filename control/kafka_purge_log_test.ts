import assert from "node:assert/strict";
import { type Admin, Kafka, logLevel, Partitioners } from "kafkajs";
import { kafkaLog, openTopic } from "#kafka";
import { PurgeFollower, PurgeIndex } from "#purge";
import { brokerKind, brokerName, type KafkaRig, startKafka } from "#rigs";
import { Database } from "./database.ts";
import { KafkaPurgeLog } from "./kafka_purge_log.ts";
import { type LogUnderTest, orderOf, purgeLogSuite } from "./purge_log_suite.ts";

/** One broker for the whole file; the last test stops it. */
let broker: Promise<KafkaRig> | undefined;
const theBroker = () => broker ??= startKafka();
let topics = 0;

interface Opened extends LogUnderTest {
  readonly log: KafkaPurgeLog;
  readonly faults: string[];
}

async function openLog(topic: string, file: string): Promise<Opened> {
  const { address } = await theBroker();
  const database = new Database(file);
  const faults: string[] = [];
  const log = new KafkaPurgeLog(database, {
    kafka: { brokers: [address], topic, clientId: "test" },
    replicas: 1,
    retentionCount: 1000,
    retentionMs: 3_600_000,
    timeoutMs: 2500,
    nowMs: Date.now,
    onFault: (fault, detail) => void faults.push(`${fault}: ${detail}`),
  });
  await log.start(10_000);
  const close = async () => {
    await log.close();
    database.close();
  };
  const reopen = async () => {
    await close();
    return await openLog(topic, file);
  };
  return { log, faults, reopen, close };
}

const newTopic = () => `purge-${++topics}`;

/** A log on a topic and a file of its own. */
async function freshLog(): Promise<Opened> {
  const dir = await Deno.makeTempDir();
  const opened = await openLog(newTopic(), `${dir}/control.db`);
  const withRemoval = (of: Opened): Opened => ({
    ...of,
    reopen: async () => withRemoval(await of.reopen() as Opened),
    close: async () => {
      await of.close();
      await Deno.remove(dir, { recursive: true });
    },
  });
  return withRemoval(opened);
}

purgeLogSuite(`Kafka log with ${brokerName}`, freshLog, {
  ignore: brokerKind !== "kafka",
  shared: true,
});

/** A test on the shared broker. */
function withKafka(name: string, fn: () => Promise<void>): void {
  const options = { ignore: brokerKind !== "kafka", sanitizeOps: false, sanitizeResources: false };
  Deno.test({ name: `${name} (${brokerName})`, ...options, fn });
}

async function admin<T>(work: (admin: Admin) => Promise<T>): Promise<T> {
  const { address } = await theBroker();
  const kafka = new Kafka({ brokers: [address], logLevel: logLevel.NOTHING });
  const own = kafka.admin();
  await own.connect();
  try {
    return await work(own);
  } finally {
    await own.disconnect();
  }
}

async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + 30_000;
  while (!await holds()) {
    assert.ok(performance.now() < deadlineMs, `timed out: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** A node that follows the topic itself, on a state file that outlives it. */
async function nodeOn(topic: string, file: string) {
  const { address } = await theBroker();
  const index = new PurgeIndex();
  const gaps: string[] = [];
  const seen: number[] = [];
  const follower = new PurgeFollower({
    source: kafkaLog({ brokers: [address], topic, clientId: "node" }),
    file,
    index,
    onGap: (reason) => void gaps.push(reason),
    onApplied: (entries) => seen.push(...entries.map(({ seq }) => seq)),
    retryMs: { first: 20, last: 200 },
  });
  await follower.start();
  return { follower, index, gaps, seen };
}

const range = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i);

withKafka("a topic that would lose purges or their order is refused", async () => {
  const make = async (topic: string, numPartitions: number, policy: string) => {
    const configEntries = [{ name: "cleanup.policy", value: policy }];
    await admin((own) => own.createTopics({ topics: [{ topic, numPartitions, configEntries }] }));
    const { address } = await theBroker();
    const kafka = { brokers: [address], topic, clientId: "test" };
    return (await openTopic(kafka, { retentionMs: 1000 })).problem;
  };
  const [compacted, wide] = [newTopic(), newTopic()];
  assert.match(
    await make(compacted, 1, "compact") ?? "",
    /^need cleanup.policy=delete of purge-\d+, as compaction loses purges: received compact$/,
  );
  assert.match(await make(wide, 2, "delete") ?? "", /^need one partition .* received 2$/);
  const dir = await Deno.makeTempDir();
  const database = new Database(`${dir}/control.db`);
  const faults: string[] = [];
  const { address } = await theBroker();
  const log = new KafkaPurgeLog(database, {
    kafka: { brokers: [address], topic: compacted, clientId: "test" },
    retentionCount: 10,
    retentionMs: 1000,
    timeoutMs: 300,
    nowMs: Date.now,
    onFault: (fault, detail) => void faults.push(`${fault} ${detail}`),
  });
  await log.start(200);
  await assert.rejects(log.append(orderOf("one", "/a")), /Kafka does not answer \(need cleanup/);
  assert.match(faults[0], /^bad_answer need cleanup/);
  await log.close();
  database.close();
  await Deno.remove(dir, { recursive: true });
});

withKafka("a node follows Kafka itself, and resumes where it was", async () => {
  const dir = await Deno.makeTempDir();
  const topic = newTopic();
  const { log, close } = await openLog(topic, `${dir}/control.db`);
  const node = await nodeOn(topic, `${dir}/node`);
  const [{ seq }] = await log.append(orderOf("one", "/a"));
  assert.equal(await node.follower.waitFor(seq, 30_000), true);
  assert.equal(node.follower.logId, log.logId);
  await node.follower.stop();
  await log.append(orderOf("two", "/b", "/c"));
  const again = await nodeOn(topic, `${dir}/node`);
  assert.equal(await again.follower.waitFor(3, 30_000), true);
  assert.deepEqual([again.seen, again.gaps], [[2, 3], []]);
  assert.equal(again.index.verdict({ key: "/a", tags: [], fillSeq: 0 }), "gone");
  assert.equal(again.index.verdict({ key: "/x", tags: [], fillSeq: 0 }), "valid");
  await again.follower.stop();
  await close();
  await Deno.remove(dir, { recursive: true });
});

withKafka("who was away for longer than Kafka keeps gives up everything older", async () => {
  const dir = await Deno.makeTempDir();
  const topic = newTopic();
  const first = await openLog(topic, `${dir}/control.db`);
  const node = await nodeOn(topic, `${dir}/node`);
  await first.log.append(orderOf("one", "/a"));
  assert.equal(await node.follower.waitFor(1, 30_000), true);
  await node.follower.stop();
  await first.log.append(orderOf("two", "/b", "/c", "/d", "/e"));
  await first.close();
  await admin(async (own) => {
    await own.fetchTopicOffsets(topic); // or it does not know the topic
    await own.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: "4" }] });
  });
  const again = await nodeOn(topic, `${dir}/node`);
  assert.equal(await again.follower.waitFor(5, 30_000), true);
  assert.deepEqual([again.gaps, again.seen], [["retention"], [4, 5]]);
  assert.equal(again.index.verdict({ key: "/x", tags: [], fillSeq: 1 }), "gone");
  await again.follower.stop();
  // A control whose copy is older than what Kafka holds: its followers find the same gap.
  const old = await openLog(topic, `${dir}/other.db`);
  assert.deepEqual([old.log.firstSeq, old.log.lastSeq], [4, 5]);
  await old.close();
  await Deno.remove(dir, { recursive: true });
});

withKafka("a topic that is made anew goes on above every number that was given", async () => {
  const dir = await Deno.makeTempDir();
  const topic = newTopic();
  const first = await openLog(topic, `${dir}/control.db`);
  const node = await nodeOn(topic, `${dir}/node`);
  await first.log.append(orderOf("one", "/a", "/b", "/c"));
  assert.equal(await node.follower.waitFor(3, 30_000), true);
  const { logId } = first.log;
  await first.close();
  await admin((own) => own.deleteTopics({ topics: [topic] }));
  const second = await openLog(topic, `${dir}/control.db`);
  assert.notEqual(second.log.logId, logId);
  const [{ seq }] = await second.log.append(orderOf("two", "/d"));
  assert.ok(seq > 4, `${seq}`);
  assert.equal(await node.follower.waitFor(seq, 30_000), true);
  assert.deepEqual(node.gaps, ["log_changed"]);
  assert.equal(node.index.verdict({ key: "/x", tags: [], fillSeq: 3 }), "gone");
  await node.follower.stop();
  await second.close();
  await Deno.remove(dir, { recursive: true });
});

withKafka("two controls on one topic give the same numbers to the same purges", async () => {
  const dir = await Deno.makeTempDir();
  const topic = newTopic();
  const one = await openLog(topic, `${dir}/one.db`);
  const two = await openLog(topic, `${dir}/two.db`);
  const orders = range(1, 20).map((i) =>
    (i % 2 ? one : two).log.append(orderOf(`${i}`, "/a", "/b"))
  );
  const records = (await Promise.all(orders)).flat().sort((a, b) => a.seq - b.seq);
  assert.deepEqual(records.map(({ seq }) => seq), range(1, 40));
  await until("both know", () => one.log.lastSeq === 40 && two.log.lastSeq === 40);
  for (const { log } of [one, two]) assert.deepEqual(log.read(0, 100), records);
  assert.equal(one.log.logId, two.log.logId);
  await Promise.all([one.close(), two.close()]);
  await Deno.remove(dir, { recursive: true });
});

withKafka("what cannot be read purges everything, and the log goes on", async () => {
  const dir = await Deno.makeTempDir();
  const topic = newTopic();
  const { log, close } = await openLog(topic, `${dir}/control.db`);
  const { address } = await theBroker();
  const kafka = new Kafka({ brokers: [address], logLevel: logLevel.NOTHING });
  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
  await producer.connect();
  await producer.send({ topic, messages: [{ value: "no purge" }, { value: null }] });
  await producer.disconnect();
  const [{ seq }] = await log.append(orderOf("one", "/a"));
  assert.equal(seq, 3);
  assert.deepEqual(log.read(0, 9).map(({ kind }) => kind), ["all", "all", "url"]);
  await close();
  await Deno.remove(dir, { recursive: true });
});

withKafka(
  "a broker that is killed and comes back: nothing lost, doubled or out of order",
  async () => {
    const rig = await theBroker();
    const dir = await Deno.makeTempDir();
    const topic = newTopic();
    const { log, close } = await openLog(topic, `${dir}/control.db`);
    const node = await nodeOn(topic, `${dir}/node`);
    const accepted: string[] = [];
    let stop = false;
    const writers = range(1, 4).map(async (writer) => {
      for (let i = 0; !stop; i++) {
        const id = `${writer}-${i}`;
        await log.append(orderOf(id, `/${id}`)).then(() => accepted.push(id), () => {});
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    });
    await until("purges flow", () => accepted.length > 100);
    for (const signal of ["SIGKILL", "SIGTERM"] as const) {
      await rig.stop(signal);
      await new Promise((resolve) => setTimeout(resolve, 300));
      await rig.restart();
      const before = accepted.length;
      await until("purges flow again", () => accepted.length > before + 50);
    }
    stop = true;
    await Promise.all(writers);
    assert.equal(await node.follower.waitFor(log.lastSeq, 30_000), true);
    const ids: string[] = [];
    for (let after = 0; after < log.lastSeq;) {
      const entries = log.read(after, 500);
      ids.push(...entries.map((entry) => entry.kind === "skipped" ? "" : entry.id));
      after = entries[entries.length - 1].seq;
    }
    assert.equal(new Set(ids).size, ids.length, "nothing doubled");
    assert.deepEqual(accepted.filter((id) => !ids.includes(id)), [], "nothing lost");
    for (const writer of range(1, 4)) {
      const own = ids.filter((id) => id.startsWith(`${writer}-`)).map((id) => Number(id.slice(2)));
      assert.deepEqual(own, own.toSorted((a, b) => a - b), "in the order of who asked");
    }
    assert.deepEqual(node.seen, range(1, log.lastSeq), "the node got each once, in order");
    assert.deepEqual(node.gaps, []);
    await node.follower.stop();
    await close();
    await Deno.remove(dir, { recursive: true });
  },
);

withKafka("with Kafka away an order is refused soon, and none is half accepted", async () => {
  const rig = await theBroker();
  const dir = await Deno.makeTempDir();
  const topic = newTopic();
  const { log, faults, close } = await openLog(topic, `${dir}/control.db`);
  await log.append(orderOf("one", "/a"));
  await rig.stop("SIGKILL");
  const startedMs = performance.now();
  const orders = range(1, 30).map((i) => log.append(orderOf(`${i}`, "/a", "/b", "/c")));
  const results = await Promise.allSettled(orders);
  assert.ok(results.every(({ status }) => status === "rejected"));
  await assert.rejects(log.append(orderOf("late", "/z")), /Kafka/);
  assert.ok(performance.now() - startedMs < 20_000);
  assert.ok(faults.length > 0);
  await rig.restart();
  await until(
    "it is heard again",
    () => log.append(orderOf("two", "/b")).then(() => true, () => false),
  );
  const perOrder = new Map<string, number>();
  for (const entry of log.read(0, 1000)) {
    if (entry.kind !== "skipped") perOrder.set(entry.id, (perOrder.get(entry.id) ?? 0) + 1);
  }
  for (const i of range(1, 30)) {
    assert.ok([undefined, 3].includes(perOrder.get(`${i}`)), "all of an order or nothing");
  }
  assert.equal(perOrder.get("late"), undefined);
  await close();
  await Deno.remove(dir, { recursive: true });
});

Deno.test({
  name: "the broker is stopped",
  ignore: brokerKind !== "kafka",
  sanitizeOps: false, // it was started in the first test
  sanitizeResources: false,
  fn: async () => await (await theBroker())[Symbol.asyncDispose](),
});
