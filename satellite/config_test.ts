import assert from "node:assert/strict";
import { BadValue, readSettings } from "#config";
import { checkSettings, parameters } from "./config.ts";

/** The settings, or the one sentence that refuses them. */
function settings(...args: readonly string[]) {
  const reading = readSettings(parameters, { args, env: {}, readFile: () => "" });
  if (reading.kind === "refused") return reading.sentence;
  assert.ok(reading.kind === "settings");
  try {
    checkSettings(reading.settings);
  } catch (error) {
    assert.ok(error instanceof BadValue);
    return error.message;
  }
  return reading.settings;
}

const origin = ["--origin", "http://127.0.0.1:8081"];

Deno.test("with an origin alone everything else has its default", () => {
  const read = settings(...origin);
  assert.ok(typeof read !== "string");
  assert.deepEqual(read.group, { hostname: "239.255.1.1", port: 5001 });
  assert.deepEqual([read.rate, read.cycle, read.serviceList, read.file], [
    61e6,
    3_600_000,
    "/dvbi/services.xml",
    undefined,
  ]);
});

Deno.test("files and repair URLs may be repeated", () => {
  const read = settings(...origin, "--file", "/a", "--file", "/b%7e,/c", "--repair", "http://e/");
  assert.ok(typeof read !== "string");
  assert.deepEqual(read.file, ["/a", "/b~", "/c"]);
  assert.deepEqual(read.repair?.map(({ href }) => href), ["http://e/"]);
});

// Bad input and the sentence that it gets.
const rows = [
  { args: [], sentence: /^Cannot start: need --origin: received nothing$/ },
  {
    args: [...origin, "--rate", "fast"],
    sentence: /^Cannot use --rate: need a rate .*: received fast$/,
  },
  {
    args: [...origin, "--group", "239.1.1.1"],
    sentence: /^Cannot use --group: need .*: received 239/,
  },
  {
    args: [...origin, "--group", "[ff02::1]:5000"],
    sentence: /^Cannot use --group: need an IPv4 /,
  },
  {
    args: [...origin, "--group", "239.1.1.256:5000"],
    sentence: /^Cannot use --group: need an IPv4 /,
  },
  { args: [...origin, "--group", "239.1.1.1:0"], sentence: /^Cannot use --group: need an IPv4 / },
  {
    args: [...origin, "--send-to", "10.0.0.1:0"],
    sentence: /^Cannot use --send-to: need an IPv4 /,
  },
  {
    args: [...origin, "--group", "239.1.1.1:70000"],
    sentence: /^Cannot use --group: need HOST:PORT/,
  },
  {
    args: [...origin, "--send-to", "encoder:5000"],
    sentence: /^Cannot use --send-to: need an IPv4 /,
  },
  {
    args: [...origin, "--nip", "x", "--announce", "239.255.1.1:5001"],
    sentence: /^Cannot use --announce: need another place than that of the media: received 239/,
  },
  {
    args: [...origin, "--nip", "x", "--send-to", "10.0.0.1:3937"],
    sentence: /^Cannot use --announce: need another place than that of the media: received 224/,
  },
  { args: [...origin, "--interface", "eth0"], sentence: /^Cannot use --interface: need an IPv4 / },
  {
    args: [...origin, "--interface", "239.1.1.1"],
    sentence: /^Cannot use --interface: need an address/,
  },
  { args: [...origin, "--file", "movie.mp4"], sentence: /^Cannot use --file: need a path / },
  { args: [...origin, "--ttl", "256"], sentence: /^Cannot use --ttl: need a whole number / },
  {
    args: [...origin, "--refill", "10ms"],
    sentence: /^Cannot use --refill: need a time from 1000ms /,
  },
  { args: [...origin, "--cycle", "0s"], sentence: /^Cannot use --cycle: need a time from 1000ms / },
  { args: [...origin, "--cycle", "25d"], sentence: /^Cannot use --cycle: .* to 24d: received 25d/ },
  { args: [...origin, "--fetch-time", "0s"], sentence: /^Cannot use --fetch-time: need a time / },
  { args: [...origin, "--node-id", "a b,c"], sentence: /need up to 64 letters.*received "a b,c"$/ },
  {
    args: [...origin, "--max-object", "5GiB"],
    sentence: /^Cannot use --max-object: need 4GiB at /,
  },
  { args: ["--origin", "s3://bucket"], sentence: /^Cannot use --origin: need a http or https URL/ },
];

for (const { args, sentence } of rows) {
  Deno.test(`${args.slice(2).join(" ") || args.join(" ") || "no flag"} gets one sentence`, () => {
    const read = settings(...args);
    assert.ok(typeof read === "string");
    assert.match(read, sentence);
    assert.doesNotMatch(read, /\.$|\n/);
  });
}
