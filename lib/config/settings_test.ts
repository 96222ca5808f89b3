import assert from "node:assert/strict";
import fc from "fast-check";
import {
  bitRate,
  bytes,
  choice,
  duration,
  formatHelp,
  formatHostPort,
  hostPort,
  integer,
  type Invocation,
  isLoopback,
  list,
  name,
  optional,
  type Parameter,
  readSettings,
  text,
  url,
} from "./mod.ts";

const table = {
  listen: hostPort("127.0.0.1:8080", "Where clients connect."),
  memory: bytes("256MiB", "Memory for stored responses."),
  upstream: list(url("http://127.0.0.1:8081", "Next hops in order.")),
  mode: choice(["on", "off"], "on", "Whether to."),
  nodeId: optional(text(undefined, "Name of this node.")),
};

function read(invocation: Partial<Invocation>) {
  const readFile = () => {
    throw new Error("no such file");
  };
  return readSettings(table, { args: [], env: {}, readFile, ...invocation });
}

function settings(invocation: Partial<Invocation>) {
  const reading = read(invocation);
  assert.equal(reading.kind, "settings", JSON.stringify(reading));
  return reading.kind === "settings" ? reading.settings : assert.fail();
}

Deno.test("readSettings() uses the defaults of the table", () => {
  const { listen, memory, upstream, nodeId } = settings({});
  assert.deepEqual(listen, { hostname: "127.0.0.1", port: 8080 });
  assert.equal(memory, 268_435_456);
  assert.deepEqual(upstream.map(String), ["http://127.0.0.1:8081/"]);
  assert.equal(nodeId, undefined);
});

Deno.test("a flag wins over the environment, which wins over the file", () => {
  const readFile = () => `{"memory": "1MiB", "mode": "off", "upstream": ["http://a", "http://b"]}`;
  const env = { DOWNLINK_MEMORY: "2MiB", DOWNLINK_CONFIG: "edge.json", DOWNLINK_NODE_ID: "env" };
  const got = settings({ args: ["--node-id=flag"], env, readFile });
  assert.equal(got.memory, 2 * 2 ** 20);
  assert.equal(got.mode, "off");
  assert.equal(got.nodeId, "flag");
  assert.deepEqual(got.upstream.map((one) => one.hostname), ["a", "b"]);
});

Deno.test("a list takes commas and repeated flags", () => {
  const { upstream } = settings({
    args: ["--upstream", "http://a,http://b", "--upstream=http://c"],
  });
  assert.deepEqual(upstream.map((one) => one.hostname), ["a", "b", "c"]);
});

// One row for each way to start a program wrongly, with what the sentence must say.
const refusals = [
  {
    args: ["--memory", "much"],
    says: "Cannot use --memory: need a size such as 256MiB or 10GB, 1024TiB at most: received much",
  },
  {
    args: ["--memory", "0"],
    says: "Cannot use --memory: need a size such as 256MiB or 10GB, 1024TiB at most: received 0",
  },
  {
    args: ["--listen", "8080"],
    says: "Cannot use --listen: need HOST:PORT such as 127.0.0.1:8080: received 8080",
  },
  {
    args: ["--listen", "a:70000"],
    says: "Cannot use --listen: need HOST:PORT such as 127.0.0.1:8080: received a:70000",
  },
  { args: ["--mode", "maybe"], says: "Cannot use --mode: need on or off: received maybe" },
  {
    args: ["--upstream", "ftp://a"],
    says:
      "Cannot use --upstream: need a http or https URL without user, query or fragment: received ftp://a",
  },
  {
    args: ["--memroy", "1MiB"],
    says: "Cannot start: need a flag that --help lists: received --memroy (did you mean --memory?)",
  },
  { args: ["stray"], says: "Cannot start: need a flag that --help lists: received stray" },
  { args: ["--memory"], says: "Cannot use --memory: need a value after it: received nothing" },
  {
    args: ["--config", "x.json"],
    says: "Cannot read x.json: need a JSON file: received no such file",
  },
  {
    env: { DOWNLINK_MEMORY: "-1" },
    says:
      "Cannot use DOWNLINK_MEMORY: need a size such as 256MiB or 10GB, 1024TiB at most: received -1",
  },
  {
    args: ["--config=c"],
    readFile: () => `[]`,
    says: "Cannot use c: need one JSON object: received []",
  },
  {
    args: ["--config=c"],
    readFile: () => `{"memroy": 1}`,
    says: "Cannot use c: need keys that --help lists, without the dashes: received memroy",
  },
  {
    args: ["--config=c"],
    readFile: () => `{"memory": {}}`,
    says: "Cannot use c: memory needs a text, a number or a list of them: received {}",
  },
  {
    args: ["--config=c"],
    readFile: () => `{"memory": "x"}`,
    says: "Cannot use c: memory: need a size such as 256MiB or 10GB, 1024TiB at most: received x",
  },
];

for (const { says, ...invocation } of refusals) {
  Deno.test(`readSettings() refuses with "${says}"`, () => {
    assert.deepEqual(read(invocation), { kind: "refused", sentence: says });
  });
}

Deno.test("readSettings() never throws for arguments that a user could type", () => {
  const word = fc.oneof(
    fc.string(),
    fc.constantFrom("--listen", "--memory=", "--config", "-h", "--"),
  );
  fc.assert(fc.property(fc.array(word), (args) => {
    assert.ok(["settings", "help", "version", "refused"].includes(read({ args }).kind));
  }));
});

const values: { parameter: Parameter<unknown>; text: string; want: unknown }[] = [
  { parameter: bytes("1", ""), text: "10GiB", want: 10 * 2 ** 30 },
  { parameter: bytes("1", ""), text: "1.5MB", want: 1_500_000 },
  { parameter: bytes("1", ""), text: "512", want: 512 },
  { parameter: bitRate("1Mbit", ""), text: "61Mbit", want: 61_000_000 },
  { parameter: bitRate("1Mbit", ""), text: "2.5Gbit/s", want: 2_500_000_000 },
  { parameter: duration("1s", ""), text: "3600s", want: 3_600_000 },
  { parameter: duration("1s", ""), text: "250ms", want: 250 },
  { parameter: integer("1", "", { min: 1, max: 9 }), text: "9", want: 9 },
  { parameter: hostPort("a:1", ""), text: "[::1]:5001", want: { hostname: "::1", port: 5001 } },
];

for (const { parameter, text, want } of values) {
  Deno.test(`${parameter.form} reads ${text}`, () => assert.deepEqual(parameter.read(text), want));
}

const wrong: { parameter: Parameter<unknown>; text: string; says: RegExp }[] = [
  { parameter: duration("1s", ""), text: "25d", says: /need a time of 24d at most: received 25d$/ },
  {
    parameter: duration("1s", "", { min: 100 }),
    text: "99ms",
    says: /from 100ms to 24d: received/,
  },
  { parameter: duration("1s", ""), text: "", says: /received ""$/ },
  { parameter: name("a", ""), text: "a b", says: /need up to 64 letters, .*: received "a b"$/ },
  { parameter: name("a", ""), text: "a\r\nx: y", says: /received "a\\r\\nx: y"$/ },
  { parameter: name("a", ""), text: "a".repeat(65), says: /need up to 64 letters/ },
];

for (const { parameter, text, says } of wrong) {
  Deno.test(`${parameter.form} refuses ${JSON.stringify(text)}`, () => {
    assert.throws(() => parameter.read(text), { name: "BadValue", message: says });
  });
}

Deno.test("formatHostPort() puts IPv6 in brackets", () => {
  assert.equal(formatHostPort({ hostname: "::1", port: 80 }), "[::1]:80");
  assert.equal(formatHostPort({ hostname: "a.example", port: 80 }), "a.example:80");
});

Deno.test("isLoopback() knows the loopback range and nothing else", () => {
  for (const host of ["127.0.0.1", "127.9.9.9", "::1", "localhost"]) assert.ok(isLoopback(host));
  for (const host of ["0.0.0.0", "10.0.0.1", "127.0.0.1.example.org", "::"]) {
    assert.ok(!isLoopback(host));
  }
});

Deno.test("formatHelp() shows each parameter within 80 columns", () => {
  const help = formatHelp({
    program: "edge",
    summary:
      "Caches what clients ask for and fetches the rest from a shield, so that an origin sees little.",
    examples: [{
      command: `downlink-edge${" --upstream http://shield:8080".repeat(4)}`,
      does: "Wraps.",
    }, {
      command: "downlink-edge --upstream http://shield:8080",
      does: "Runs alone from flags.",
    }],
  }, table);
  for (const line of help.split("\n")) assert.ok(line.length <= 80, line);
  for (const flag of ["--listen", "--memory", "--upstream", "--mode", "--node-id", "--config"]) {
    assert.ok(help.includes(flag), flag);
  }
  assert.match(help, /DOWNLINK_LISTEN/);
});
