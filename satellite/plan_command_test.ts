import assert from "node:assert/strict";
import { contentLength, planCommand } from "./plan_command.ts";

const plan = {
  files: [
    {
      path: "/files/guide.xml",
      bytes: 950_000,
      popularity: 100,
      acquisitionSeconds: 60,
      priority: 0,
    },
    { path: "/vod/film.mp4", bytes: 180_000_000, popularity: 10 },
  ],
};

/** Runs the command on a plan; sizes come from a map. */
function run(args: readonly string[], { text = JSON.stringify(plan), sizes = {} } = {}) {
  const known: Record<string, number> = sizes;
  return planCommand(["--carousel", "plan.json", ...args], {
    env: {},
    readFile: (file) => {
      if (file !== "plan.json") throw new Error("no such file");
      return text;
    },
    sizeOf: (_origin, path) =>
      path in known ? Promise.resolve(known[path]) : Promise.reject(new Error("status 404")),
  });
}

Deno.test("a plan that fits is a line a file, with what it costs and how long it takes", async () => {
  const { code, text } = await run(["--rate", "61Mbit", "--live", "24Mbit"]);
  assert.equal(code, 0);
  const lines = text.split("\n");
  assert.match(lines[1], /^\/files\/guide.xml +0.9 +0 +100 +18.\d % +1.1 s +0.8 s$/);
  assert.match(lines[2], /^\/vod\/film.mp4 +180.0 +5 +10 +81.\d % +49.\d s +64.\d s$/);
  assert.match(text, /leaves 37.00 Mbit\/s/);
  assert.match(text, /It fits\./);
  assert.ok(lines.every((line) => line.length <= 80), "80 columns");
});

Deno.test("repair symbols cost rate", async () => {
  const share = async (percent: string) => {
    const { text } = await run(["--fec-overhead", percent]);
    return Number(/need ([\d.]+) Mbit/.exec(text)?.[1]);
  };
  assert.ok(Math.abs(await share("100") / await share("0") - 2) < 0.05);
});

Deno.test("a plan that cannot fit says so, with the arithmetic, and exits with 1", async () => {
  const tight = await run(["--rate", "0.5Mbit"]);
  assert.equal(tight.code, 1);
  assert.match(tight.text, /leaves 0.40 Mbit\/s;\nall acquisition times together need 0.54/);
  assert.match(tight.text, /It does not fit: 0.14 Mbit\/s too much/);
});

Deno.test("sizes that the plan does not say are asked for", async () => {
  const text = JSON.stringify({ files: [{ path: "/vod/film.mp4" }] });
  const args = ["--origin", "http://127.0.0.1:8081"];
  const outcome = await run(args, { text, sizes: { "/vod/film.mp4": 5_000_000 } });
  assert.match(outcome.text, /film.mp4 +5.0/);
  const missing = await run(args, { text });
  assert.equal(missing.code, 2);
  assert.match(missing.text, /need the size of \/vod\/film.mp4 from .*: received status 404/);
});

Deno.test("the length of an object is asked for by HEAD", async () => {
  const abort = new AbortController();
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", signal: abort.signal, onListen: () => {} },
    (request) =>
      new Response(null, {
        status: request.url.endsWith("/film") && request.method === "HEAD" ? 200 : 404,
        headers: { "content-length": "1234" },
      }),
  );
  try {
    const origin = new URL(`http://127.0.0.1:${server.addr.port}/`);
    assert.equal(await contentLength(origin, "/film"), 1234);
    await assert.rejects(contentLength(origin, "/other"), /status 404/);
  } finally {
    abort.abort();
    await server.finished;
  }
});

const refused = [
  { args: ["--rate", "fast"], want: /^Cannot use --rate/ },
  { args: ["--live", "70Mbit"], want: /need --live below --rate 61000000: received 70000000/ },
  { args: [], text: "{", want: /need a JSON file: received plan.json/ },
  { args: [], text: '{"files":[{"path":"film"}]}', want: /need files.0.path to be as in/ },
  { args: [], text: '{"files":[{"path":"/f"}]}', want: /need --origin, or bytes for each file/ },
];

for (const { args, text, want } of refused) {
  Deno.test(`bad input of plan is one sentence: ${args.join(" ") || text}`, async () => {
    const outcome = await run(args, { text });
    assert.equal(outcome.code, 2);
    assert.match(outcome.text, want);
    assert.equal(outcome.text.trimEnd().split("\n").length, 1);
  });
}

Deno.test("plan --help says what the command does", async () => {
  const { code, text } = await planCommand(["--help"], {
    env: {},
    readFile: () => "",
    sizeOf: () => Promise.reject(new Error("not asked")),
  });
  assert.equal(code, 0);
  assert.match(text, /downlink-headend plan/);
});
