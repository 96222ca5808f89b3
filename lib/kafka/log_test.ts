import assert from "node:assert/strict";
import { brokerKind, brokerName, startKafka } from "#rigs";
import type { LogEntry, OpenStream } from "#purge";
import { KafkaAppender } from "./appender.ts";
import { kafkaLog } from "./log.ts";
import { encodeMark, encodePurge } from "./message.ts";
import { openTopic } from "./topic.ts";

Deno.test({
  name: `what is appended is read from any place, in order, with ${brokerName}`,
  ignore: brokerKind === "none",
  async fn() {
    await using broker = await startKafka();
    const kafka = { brokers: [broker.address], topic: "cdn-purge", clientId: "test" };
    if (broker.kind === "kafka") {
      const topic = await openTopic(kafka, { retentionMs: 3_600_000, replicas: 1 });
      assert.deepEqual(topic, { problem: undefined, nextOffset: 0, empty: true });
    }
    const idempotent = broker.kind === "kafka"; // the mock cluster has no controller to ask
    const appender = new KafkaAppender(kafka, { timeoutMs: 5000, idempotent });
    const life = { logId: "log-1", base: 0 };
    assert.equal(await appender.append([encodeMark(life)]), 0);
    const purge = (value: string) =>
      encodePurge({ id: "p", kind: "url", value, soft: false, issuer: "test" }, 1, life);
    const [a, b] = await Promise.all([
      appender.append([purge("/1"), purge("/2")]),
      appender.append([purge("/3")]),
    ]);
    assert.deepEqual([a, b], [1, 3]);
    const stop = new AbortController();
    const place = { logId: undefined, lastId: undefined, stallMs: 5000, signal: stop.signal };
    const log = kafkaLog(kafka);
    const opened = await log.open({ ...place, afterSeq: 1 }, () => {});
    assert.deepEqual(opened.head, { logId: "log-1", firstSeq: 1, lastSeq: 3 });
    const seen: LogEntry[] = [];
    const stream = opened as OpenStream;
    for await (const entries of stream.batches) {
      seen.push(...entries);
      if (seen.length === 2) await appender.append([purge("/4")]);
      if (seen.length === 3) break;
    }
    assert.deepEqual(seen.map((entry) => [entry.seq, entry.kind === "url" && entry.value]), [
      [2, "/2"],
      [3, "/3"],
      [4, "/4"],
    ]);
    await stream.close();
    for (
      const [what, wrong] of Object.entries({
        id: { lastId: "q" },
        log: { logId: "other" },
        seq: {},
      })
    ) {
      const afterSeq = what === "seq" ? 9 : 3;
      const elsewhere = await log.open({ ...place, afterSeq, ...wrong }, () => {});
      assert.equal(elsewhere.kind, "no_such_place", what);
    }
    await appender.close();
  },
});
