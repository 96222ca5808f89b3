import assert from "node:assert/strict";
import { help, readOptions } from "./options.ts";

Deno.test("without arguments the demo is shown, from the sources, without loss", () => {
  assert.deepEqual(readOptions([]), {
    kind: "options",
    options: { check: false, binaries: undefined, unicast: false, lossPercent: 0 },
  });
});

Deno.test("all options are read", () => {
  assert.deepEqual(readOptions(["--check", "--binaries", "dist", "--unicast", "--loss", "30"]), {
    kind: "options",
    options: { check: true, binaries: "dist", unicast: true, lossPercent: 30 },
  });
  assert.deepEqual(readOptions(["--help"]), { kind: "help" });
});

for (
  const { args, sentence } of [
    {
      args: ["--loss", "31"],
      sentence: "Cannot use --loss: need a whole number from 0 to 30: received 31",
    },
    {
      args: ["--loss", "a"],
      sentence: "Cannot use --loss: need a whole number from 0 to 30: received a",
    },
    {
      args: ["--chek"],
      sentence:
        "Cannot start the demo: need the options that --help lists: received Unknown option '--chek'",
    },
    {
      args: ["--binaries"],
      sentence:
        "Cannot start the demo: need the options that --help lists: received Option '--binaries <value>' argument missing",
    },
  ]
) {
  Deno.test(`${args.join(" ")} is refused in one sentence`, () => {
    assert.deepEqual(readOptions(args), { kind: "refused", sentence });
  });
}

Deno.test("the help fits 80 columns", () => {
  assert.ok(help.split("\n").every((line) => line.length <= 80));
});
