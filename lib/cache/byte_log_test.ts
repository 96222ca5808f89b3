import assert from "node:assert/strict";
import fc from "fast-check";
import { ByteLog, leastWindowBytes, type LogBudget } from "./byte_log.ts";

const octets = (text: string) => new TextEncoder().encode(text);
const large = (): LogBudget => ({ usedBytes: 0, budgetBytes: 2 ** 30, windowBytes: 2 ** 30 });
const read = (stream: ReadableStream<Uint8Array>) => new Response(stream).text();

Deno.test("every reader gets every byte, whatever the pace and the cuts", async () => {
  const steps = fc.array(
    fc.oneof(
      fc.record({ kind: fc.constant("write" as const), bytes: fc.uint8Array({ maxLength: 40 }) }),
      fc.record({ kind: fc.constant("read" as const), who: fc.nat(3) }),
      fc.record({ kind: fc.constant("join" as const), start: fc.nat(100), length: fc.nat(100) }),
    ),
    { maxLength: 60 },
  );
  await fc.assert(
    fc.asyncProperty(steps, async (script) => {
      const budget = large();
      const log = new ByteLog(budget);
      const written: number[] = [];
      const readers: { start: number; end: number; got: number[]; pull(): Promise<void> }[] = [];
      for (const step of script) {
        if (step.kind === "write") {
          written.push(...step.bytes);
          log.append(step.bytes);
        } else if (step.kind === "join") {
          const [start, end] = [step.start, step.start + step.length];
          const stream = log.stream(log.open()!, start, end).getReader();
          const got: number[] = [];
          const pull = async () => {
            const { value } = await stream.read();
            got.push(...value ?? []);
          };
          readers.push({ start, end, got, pull });
        } else {
          const reader = readers[step.who];
          const ready = reader && reader.start + reader.got.length < written.length;
          if (ready) await reader.pull();
        }
      }
      log.end();
      for (const { start, end, got, pull } of readers) {
        const want = written.slice(start, end);
        while (got.length < want.length) await pull();
        assert.deepEqual(got, want);
      }
    }),
    { numRuns: 200 },
  );
});

Deno.test("memory is given back when the last reader leaves a settled log", async () => {
  const budget = large();
  const log = new ByteLog(budget);
  const reader = log.open()!;
  log.append(octets("hello"));
  assert.equal(budget.usedBytes, 5);
  log.end();
  assert.notEqual(log.open(), undefined, "an ended log can be joined until it is settled");
  log.settle();
  const text = read(log.stream(reader));
  assert.equal(await text, "hello");
  assert.equal(log.readers, 1);
});

Deno.test("the piece that the store keeps replaces the chunks of slow readers", async () => {
  const budget = large();
  const log = new ByteLog(budget);
  const slow = log.stream(log.open()!, 1);
  log.append(octets("he"));
  log.append(octets("llo"));
  log.end();
  log.settle(octets("hello"));
  assert.equal(budget.usedBytes, 0);
  assert.equal(await read(slow), "ello");
});

Deno.test("above the window, what all readers passed is dropped and nobody can start anew", async () => {
  const budget: LogBudget = { usedBytes: 0, budgetBytes: 2 ** 30, windowBytes: 100 };
  let moves = 0;
  const log = new ByteLog(budget, () => moves++);
  const [one, other] = [log.open()!, log.open()!].map((cursor) => log.stream(cursor).getReader());
  for (let i = 0; i < 3; i++) log.append(new Uint8Array(50));
  assert.ok(log.full);
  for (let i = 0; i < 3; i++) await one.read();
  assert.equal(log.firstByte, 0, "the other has read nothing");
  assert.notEqual(log.open(), undefined);
  await other.read();
  await other.read();
  assert.ok(moves > 0);
  log.append(new Uint8Array(50));
  await one.cancel();
  await other.cancel();
});

Deno.test("a log without readers keeps its window and no more", () => {
  const budget: LogBudget = { usedBytes: 0, budgetBytes: 2 ** 30, windowBytes: 100 };
  const log = new ByteLog(budget);
  for (let i = 0; i < 10; i++) {
    log.append(new Uint8Array(30));
    assert.ok(budget.usedBytes < 100);
  }
  assert.equal(log.open(), undefined);
  log.end();
  log.settle();
  assert.equal(budget.usedBytes, 0);
});

Deno.test("a log keeps little when the shared budget is used up", () => {
  const budget: LogBudget = { usedBytes: 2 ** 30, budgetBytes: 2 ** 30, windowBytes: 2 ** 30 };
  const log = new ByteLog(budget);
  log.append(new Uint8Array(leastWindowBytes - 1));
  assert.ok(!log.full);
  const cursor = log.open()!;
  log.append(new Uint8Array(1));
  assert.ok(log.full);
  cursor.close();
  assert.equal(budget.usedBytes, 2 ** 30);
});

Deno.test("a failed log fails readers after the bytes they can still have", async () => {
  const log = new ByteLog(large());
  const reader = log.stream(log.open()!).getReader();
  const done = log.stream(log.open()!, 0, 2);
  log.append(octets("he"));
  log.fail(new Error("cut"));
  assert.equal(new TextDecoder().decode((await reader.read()).value), "he");
  await assert.rejects(reader.read(), /cut/);
  assert.equal(await read(done), "he", "who wanted no more has all of it");
});

Deno.test("a reader who leaves while it waits is gone", async () => {
  const log = new ByteLog(large());
  const reader = log.stream(log.open()!).getReader();
  const waiting = reader.read();
  await reader.cancel();
  assert.ok((await waiting).done);
  assert.equal(log.readers, 0);
  log.append(octets("late"));
  log.end();
});

Deno.test("dropSlowest() fails those at the oldest byte and no other", async () => {
  const log = new ByteLog(large());
  const slow = log.stream(log.open()!).getReader();
  const quick = log.stream(log.open()!).getReader();
  log.append(octets("a"));
  await quick.read();
  assert.ok(log.starving);
  log.dropSlowest(new Error("stalled"));
  await assert.rejects(slow.read(), /stalled/);
  log.append(octets("b"));
  assert.equal(new TextDecoder().decode((await quick.read()).value), "b");
});
