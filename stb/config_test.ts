import assert from "node:assert/strict";
import { parameters } from "./config.ts";

// Names that control and the other nodes would refuse for ever, or that break a field or a log.
const bad = ["a b,c", "x\r\ny: z", "", "-a", "a".repeat(65)];

for (const [flag, { read }] of Object.entries(parameters)) {
  if (flag !== "nodeId" && flag !== "region") continue;
  Deno.test(`${flag} is a name that every node takes`, () => {
    assert.equal(read("stb-1.north"), "stb-1.north");
    for (const text of bad) assert.throws(() => read(text), { name: "BadValue" }, text);
  });
}
