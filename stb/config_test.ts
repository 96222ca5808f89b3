import assert from "node:assert/strict";
import { readSettings } from "#config";
import { checkSettings, parameters, schemesOf } from "./config.ts";

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

// What says what to receive: one of two, and one of them not with a key.
const roads = [
  { args: [], sentence: /^Cannot use --session: need .*, or --nip: received nothing$/ },
  {
    args: ["--nip", "224.0.23.14:3937", "--session", "x"],
    sentence: /^Cannot use --nip: need either it or --session: received both$/,
  },
  {
    args: ["--nip", "224.0.23.14:3937", "--trust-key", `${"A".repeat(43)}=`],
    sentence: /^Cannot use --nip: need a bootstrap that --trust-key vouches for/,
  },
  { args: ["--nip", "192.0.2.1:3937"], sentence: /^Cannot use --nip: need a group and port such/ },
  { args: ["--nip", "224.0.23.14:0"], sentence: /^Cannot use --nip: need a group and port such/ },
  { args: ["--nip", "224.0.23.14:3937"], sentence: undefined },
];

for (const { args, sentence } of roads) {
  Deno.test(`${args.join(" ") || "nothing"}: ${sentence?.source ?? "is enough"}`, () => {
    const reading = readSettings(parameters, { args, env: {}, readFile: () => "{}" });
    const refusal = () => {
      if (reading.kind !== "settings") return "sentence" in reading ? reading.sentence : "help";
      try {
        checkSettings(reading.settings);
      } catch (error) {
        return (error as Error).message;
      }
    };
    if (sentence === undefined) assert.equal(refusal(), undefined);
    else assert.match(refusal() ?? "", sentence);
  });
}
