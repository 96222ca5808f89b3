import assert from "node:assert/strict";
import { readSettings } from "#config";
import { parameters, schemesOf } from "./config.ts";

// Names that control and the other nodes would refuse for ever, or that break a field or a log.
const bad = ["a b,c", "x\r\ny: z", "", "-a", "a".repeat(65)];

for (const [flag, { read }] of Object.entries(parameters)) {
  if (flag !== "nodeId" && flag !== "region") continue;
  Deno.test(`${flag} is a name that every node takes`, () => {
    assert.equal(read("stb-1.north"), "stb-1.north");
    for (const text of bad) assert.throws(() => read(text), { name: "BadValue" }, text);
  });
}

const schemes = (...args: string[]) => {
  const reading = readSettings(parameters, { args, env: {}, readFile: () => "{}" });
  return reading.kind === "settings" ? [...schemesOf(reading.settings.fec)].sort() : reading;
};

Deno.test("a box takes files under all erasure codes, or those named; without code always", () => {
  assert.deepEqual(schemes(), [0, 5, 6]);
  assert.deepEqual(schemes("--fec", "none"), [0]);
  assert.deepEqual(schemes("--fec", "reed-solomon"), [0, 5]);
  assert.deepEqual(schemes("--fec", "raptor"), {
    kind: "refused",
    sentence: "Cannot use --fec: need raptorq or reed-solomon or none: received raptor",
  });
});
