/** No request may change what another one gets: over both lanes, against an origin that reflects all. */
import assert from "node:assert/strict";
import fc from "fast-check";
import type { Fields } from "#http";
import type { CachePolicy } from "./policy.ts";
import { type Bench, reply, settle, setUp } from "./scripted_next_hop.ts";

/** An origin that puts everything it sees into its body, and lets caches keep it. */
function reflecting(policy: Partial<CachePolicy> = {}): Bench {
  return setUp(async ({ target, fields, body }) => {
    const sent = body === undefined ? "" : await new Response(body).text();
    const seen = JSON.stringify({ target, fields, sent });
    return reply(200, [["cache-control", "max-age=100"]], seen);
  }, policy);
}

/** What a plain GET gets, by whichever lane. */
async function victim(bench: Bench, target: string): Promise<string> {
  const fast = bench.engine.hit({ method: "GET", target, fields: [] });
  const slow = (await bench.get(target)).text;
  if (fast !== undefined) assert.equal(new TextDecoder().decode(fast.body), slow);
  return slow;
}

interface Attack {
  readonly name: string;
  readonly target?: string;
  readonly method?: string;
  readonly fields?: Fields;
  readonly body?: string;
}

const attacks: Attack[] = [
  ...[
    "x-forwarded-host",
    "x-forwarded-for",
    "x-forwarded-proto",
    "x-forwarded-scheme",
    "x-forwarded-port",
    "x-forwarded-prefix",
    "x-forwarded-server",
    "x-host",
    "x-original-url",
    "x-original-host",
    "x-rewrite-url",
    "x-http-method-override",
    "x-method-override",
    "x-wap-profile",
    "x-amz-website-redirect-location",
    "forwarded",
    "front-end-https",
    "host",
    "origin",
    "referer",
    "user-agent",
    "cookie",
    "content-type",
    "transfer-encoding",
    "expect",
    "te",
    "upgrade",
    "range",
    "if-range",
    "if-none-match",
    "if-modified-since",
    "content-length",
  ].map((name): Attack => ({ name, fields: [[name, "evil"]] })),
  {
    name: "a fat GET",
    body: "evil",
    fields: [["content-type", "application/x-www-form-urlencoded"]],
  },
  { name: "a field that Connection names", fields: [["connection", "x-evil"], ["x-evil", "evil"]] },
  { name: "another method", method: "POST", body: "evil" },
  { name: "a method of its own", method: "EVIL" },
  { name: "HEAD", method: "HEAD", fields: [["x-forwarded-host", "evil"]] },
  { name: "credentials", fields: [["authorization", "evil"]] },
];

for (const { name, target = "/a", method, fields, body } of attacks) {
  Deno.test(`a request with ${name} changes nothing for others`, async () => {
    const bench = reflecting();
    const stream = body === undefined ? undefined : new Blob([body]).stream();
    await bench.get(target, fields, { method, body: stream });
    await settle();
    const clean = await victim(reflecting(), "/a");
    assert.equal(await victim(bench, "/a"), clean);
    assert.equal(await victim(bench, "/a"), clean);
  });
}

// Targets that some server somewhere takes for /a: each has its own key, or the same bytes upstream.
const targets = [
  "/a?evil=1",
  "/a;evil",
  "/a%3fevil",
  "/a%3Fevil=1",
  "/a%23evil",
  "/a%00evil",
  "/a%2fevil",
  "/a%2e",
  "/a/",
  "//a",
  "/./a",
  "/b/../a",
  "/b/%2e%2e/a",
  "/b/..%2fa",
  "/%61",
  "/%2561",
  "/A",
  "/a.css",
  "/a/evil.css",
  "/a%0d%0aevil",
  "/a?",
  "/a??evil",
  "/a?&evil",
  "http://evil.example/a",
  "/a\\evil",
  "/a\tevil",
];

for (const target of targets) {
  Deno.test(`a request for ${JSON.stringify(target)} leaves /a as it is (path confusion)`, async () => {
    const bench = reflecting();
    await bench.get(target);
    await settle();
    assert.equal(await victim(bench, "/a"), await victim(reflecting(), "/a"));
  });
}

// With --keep-query v: what is dropped must not reach the origin, what is kept must be keyed.
const cloaks = [
  "/a?v=1&evil=2",
  "/a?evil=2&v=1",
  "/a?v=1&evil",
  "/a?&&v=1&",
  "/a?%65vil=2&v=1",
  "/a?%76=1&evil=2",
  "/a?v=1&v%00=evil",
  "/a?v=1&V=evil",
  "/a?v=1&v[]=evil",
  "/a?v=1;v=evil",
  "/a?evil=2;v=3&v=1",
  "/a?v=1&v=evil",
  "/a?v=evil&v=1",
  "/a?v=1%26v=evil",
  "/a?v=1#evil",
];

for (const target of cloaks) {
  Deno.test(`${target} leaves /a?v=1 as it is (parameter cloaking)`, async () => {
    const bench = reflecting({ keepQuery: ["v"] });
    await bench.get(target);
    await settle();
    const clean = await victim(reflecting(), "/a?v=1");
    assert.equal(await victim(bench, "/a?v=1"), clean);
    assert.equal(await victim(bench, "/a?x=9&v=1"), clean);
  });
}

Deno.test("whatever one request sends, two requests of one key ask upstream for the same", async () => {
  const text = fc.stringMatching(/^[!-~]{0,12}$/);
  const names = ["x-forwarded-host", "cookie", "x-a", "range", "content-type", "origin", "host"];
  const fields = fc.array(fc.tuple(fc.constantFrom(...names), text));
  const query = fc.stringMatching(/^[a-c=&;%+]{0,10}$/);
  const property = fc.asyncProperty(fields, query, query, async (fields, one, other) => {
    const bench = reflecting({ keepQuery: ["a", "b"] });
    await bench.get(`/p?${one}`, fields, { body: new Blob(["fat"]).stream() });
    await bench.get(`/p?${other}`);
    const [first, second] = bench.sent;
    if (second === undefined) {
      assert.deepEqual(JSON.parse((await bench.get(`/p?${other}`)).text).fields, []);
    } else if (first.target === second.target) assert.fail("one key was fetched twice");
  });
  await fc.assert(property, { numRuns: 100 });
});
