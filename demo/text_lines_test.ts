import assert from "node:assert/strict";
import { TextLineStream } from "./text_lines.ts";

async function lines(chunks: string[]): Promise<string[]> {
  return await Array.fromAsync(ReadableStream.from(chunks).pipeThrough(new TextLineStream()));
}

Deno.test("lines are found across chunks, with either line end, the last without one", async () => {
  assert.deepEqual(await lines(["one\ntw", "o\r\n", "\nthr", "ee"]), ["one", "two", "", "three"]);
  assert.deepEqual(await lines([]), []);
});

Deno.test("a line that nobody ends is cut", async () => {
  const [line] = await lines(Array.from({ length: 5 }, () => "x".repeat(50_000)));
  assert.ok(line.length <= 64 * 1024 + 50_000);
});
