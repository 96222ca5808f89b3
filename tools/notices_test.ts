import assert from "node:assert/strict";
import { readNotices } from "#build";
import { lockedPackages, noticedPackages } from "./notices.ts";

const lock = await Deno.readTextFile(new URL("../deno.lock", import.meta.url));

Deno.test("lockedPackages() drops the peers from a lock's keys", () => {
  const npm = { "b@2.0.0_@x/a@1.0.0": {}, "@x/a@1.0.0": {}, "b@2.0.0_c@3.0.0": {} };
  assert.deepEqual(lockedPackages(JSON.stringify({ npm })), ["@x/a@1.0.0", "b@2.0.0"]);
});

Deno.test("each npm package of deno.lock has its notice (else: deno task notices)", () => {
  assert.deepEqual(noticedPackages(readNotices()), lockedPackages(lock));
});

Deno.test("--licenses has our licence, Deno's, and a text for each package", () => {
  const [ours, deno, ...packages] = readNotices().split(`${"=".repeat(78)}\n`);
  assert.match(ours, /Apache License\s+Version 2\.0/);
  assert.match(deno, /^Deno, the runtime\n\nMIT License/);
  for (const section of packages) {
    const text = section.replace(/^(?:npm package \S+\n)+\n/, "");
    assert.match(text, /permission|licen[cs]e/i, section.slice(0, 80));
  }
});
