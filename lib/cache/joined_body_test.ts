import assert from "node:assert/strict";
import { JoinedBody } from "./joined_body.ts";
import { memoryEntry } from "./memory_store.ts";

const encode = (text: string) => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

Deno.test("JoinedBody puts heads of any length that fits before the body", () => {
  const joined = new JoinedBody(encode("body"), 10);
  for (const head of ["0123456789", "short", "", "0123456789".repeat(7)]) {
    const { bytes, headBytes } = joined.under(encode(head))!;
    assert.equal(decode(bytes), `${head}body`);
    assert.equal(headBytes, head.length);
    assert.equal(decode(joined.body), "body");
  }
  assert.ok(!joined.fits(encode("0123456789".repeat(8))));
});

Deno.test("JoinedBody changes no head that is being written", () => {
  const joined = new JoinedBody(encode("body"), 10);
  const { bytes, writers } = joined.under(encode("age: 9\n"))!;
  writers.unsent++;
  assert.equal(joined.under(encode("age: 10\n")), undefined);
  assert.equal(decode(bytes), "age: 9\nbody");
  writers.unsent--;
  assert.equal(decode(joined.under(encode("age: 10\n"))!.bytes), "age: 10\nbody");
});

Deno.test("an entry's body stays what it was when it is joined, and is in memory once", async () => {
  const response = {
    key: "/a",
    variant: "",
    status: 200,
    fields: [],
    requestSentMs: 0,
    receivedMs: 0,
    fillSeq: 0,
    tags: [],
  };
  const entry = memoryEntry(response, encode("body"));
  const reading = entry.read(1, 4);
  const joined = entry.join!(encode("head"))!;
  assert.equal(decode(joined.bytes), "headbody");
  assert.equal(decode(entry.memory!), "body");
  assert.equal(entry.memory!.buffer, joined.bytes.buffer);
  assert.equal(entry.bodyBytes, 4);
  assert.equal(await new Response(reading).text(), "ody");
  assert.equal(memoryEntry(response, new Uint8Array(5 << 20)).join!(encode("head")), undefined);
});
