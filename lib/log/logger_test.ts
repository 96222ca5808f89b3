import assert from "node:assert/strict";
import fc from "fast-check";
import { createLogger } from "./mod.ts";

function capture(format: "json" | "text") {
  const lines: string[] = [];
  const write = (line: string) => void lines.push(line);
  const log = createLogger({ program: "edge", format, level: "info", write, nowMs: () => 1e12 });
  return { lines, log };
}

Deno.test("a JSON line carries time, level, program, message and fields", () => {
  const { lines, log } = capture("json");
  log.warn("slow origin", { ms: 1200, error: new Error("reset"), toi: 7n, level: "mine" });
  assert.deepEqual(JSON.parse(lines[0]), {
    time: "2001-09-09T01:46:40.000Z",
    level: "warn",
    program: "edge",
    message: "slow origin",
    ms: 1200,
    error: "reset",
    toi: "7",
  });
});

Deno.test("a text line is readable and quotes what has spaces", () => {
  const { lines, log } = capture("text");
  log.info("started", { listen: "127.0.0.1:8080", why: "two words" });
  assert.equal(
    lines[0],
    '01:46:40.000 info  edge     started listen=127.0.0.1:8080 why="two words"\n',
  );
});

Deno.test("lines below the level are not written", () => {
  const { lines, log } = capture("json");
  log.debug("detail");
  assert.deepEqual(lines, []);
});

Deno.test("a field from the network cannot start a second line", () => {
  fc.assert(fc.property(fc.string(), (value) => {
    for (const format of ["json", "text"] as const) {
      const { lines, log } = capture(format);
      log.error("refused", { value });
      assert.equal(lines.length, 1);
      assert.equal(lines[0].indexOf("\n"), lines[0].length - 1);
    }
  }));
});
