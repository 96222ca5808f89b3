import assert from "node:assert/strict";
import { createLogger } from "#log";
import { Complaints } from "./complaints.ts";

Deno.test("what is wrong is said once, again when the reason changes, and when it is over", () => {
  const lines: string[] = [];
  const write = (line: string) => void lines.push(JSON.parse(line).message);
  const options = { program: "headend", format: "json", level: "info", write } as const;
  const complaints = new Complaints(createLogger({ ...options, nowMs: () => 0 }));
  complaints.settle("/a");
  complaints.raise("/a", "timeout", "too slow");
  complaints.raise("/a", "timeout", "too slow");
  complaints.raise("/b", "timeout", "too slow as well");
  complaints.raise("/a", "not_found", "not there");
  assert.equal(complaints.open, 2);
  complaints.settle("/a");
  complaints.settle("/a");
  complaints.forget("/b");
  assert.equal(complaints.open, 0);
  assert.deepEqual(lines, ["too slow", "too slow as well", "not there", "works again"]);
});
