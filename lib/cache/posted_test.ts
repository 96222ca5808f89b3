import assert from "node:assert/strict";
import type { Fields } from "#http";
import { reply, settle, setUp, steeredBody } from "./scripted_next_hop.ts";

const here: Fields = [["content-location", "/form"]];
const fresh: Fields = [["cache-control", "max-age=60"]];
const host: Fields = [["host", "edge.example"]];
const post = { method: "POST" };

// Which answer to a POST a later GET gets (RFC 9110 §9.3.3).
const rows: { what: string; status?: number; says: Fields; first?: Fields; kept: boolean }[] = [
  { what: "says what it is and for how long", says: [...here, ...fresh], kept: true },
  {
    what: "has Expires",
    says: [...here, ["expires", "Thu, 01 Jan 2026 01:00:00 GMT"]],
    kept: true,
  },
  {
    what: "names the target in full",
    says: [["content-location", "http://edge.example/form"], ...fresh],
    kept: true,
  },
  { what: "does not say what it is", says: fresh, kept: false },
  { what: "is something else", says: [["content-location", "/other"], ...fresh], kept: false },
  {
    what: "is of another host",
    says: [["content-location", "http://a.example/form"], ...fresh],
    kept: false,
  },
  {
    what: "has no time of its own",
    says: [...here, ["cache-control", "public"], ["etag", '"1"']],
    kept: false,
  },
  {
    what: "has only Last-Modified",
    says: [...here, ["last-modified", "Wed, 01 Jan 2025 00:00:00 GMT"]],
    kept: false,
  },
  { what: "is private", says: [...here, ["cache-control", "private, max-age=60"]], kept: false },
  { what: "sets a cookie", says: [...here, ...fresh, ["set-cookie", "a=b"]], kept: false },
  { what: "varies by anything", says: [...here, ...fresh, ["vary", "*"]], kept: false },
  { what: "is no 200", status: 201, says: [...here, ...fresh], kept: false },
  { what: "is an error", status: 404, says: [...here, ...fresh], kept: false },
  {
    what: "was for credentials",
    says: [...here, ...fresh],
    first: [["authorization", "x"]],
    kept: false,
  },
];

for (const { what, status = 200, says, first = [], kept } of rows) {
  Deno.test(`an answer to a POST that ${what} is ${kept ? "" : "not "}kept for GET`, async () => {
    const bench = setUp(({ method }) => reply(method === "POST" ? status : 200, says, method));
    assert.equal((await bench.get("/form", [...host, ...first], post)).text, "POST");
    await settle();
    assert.equal((await bench.get("/form", host)).text, kept ? "POST" : "GET");
  });
}

Deno.test("another POST is sent, and takes what is kept with it", async () => {
  const bench = setUp((_, call) =>
    reply(200, call === 1 ? [...here, ...fresh] : [], `answer ${call}`)
  );
  await bench.get("/form", host, post);
  await settle();
  assert.equal((await bench.get("/form", host, post)).text, "answer 2");
  assert.equal(bench.store.count, 0);
});

Deno.test("an answer to a POST that is not whole, left or overtaken is not kept", async () => {
  for (const how of ["short", "left", "overtaken"]) {
    const body = steeredBody();
    const head: Fields = [...here, ...fresh, ["content-length", "4"]];
    const bench = setUp((_, call) => call === 1 ? reply(200, head, body.stream) : reply(204, []));
    const answer = await bench.ask("/form", host, post);
    const reader = (answer.body as ReadableStream<Uint8Array>).getReader();
    body.send("bod");
    await reader.read();
    if (how === "left") await reader.cancel();
    else {
      if (how === "overtaken") {
        await bench.get("/form", host, { method: "PUT" });
        body.send("y");
      }
      body.end();
      while (!(await reader.read()).done);
    }
    await settle();
    assert.equal(bench.store.count, 0, how);
  }
});
