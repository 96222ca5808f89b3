import assert from "node:assert/strict";
import { headendApp } from "./app.ts";
import type { Headend } from "./headend.ts";

const status = { packets: 7 } as Headend["status"];

Deno.test("the documents are served once there are any", async () => {
  const headend = { status, documents: undefined as Headend["documents"] };
  const app = headendApp(headend);
  const early = await app.request("http://127.0.0.1/session.xml");
  assert.deepEqual([early.status, early.headers.get("retry-after")], [503, "1"]);
  assert.match((await early.json()).error, /^Cannot answer yet: need the service list/);
  headend.documents = { full: "<full/>", bootstrap: "<boot/>" };
  const late = await app.request("http://127.0.0.1/session.xml");
  assert.equal(late.headers.get("content-type"), "application/xml+dvb-mabr-session-configuration");
  assert.equal(await late.text(), "<full/>");
  assert.equal(await (await app.request("http://127.0.0.1/bootstrap.xml")).text(), "<boot/>");
});

Deno.test("the status is JSON that nobody keeps", async () => {
  const app = headendApp({ status, documents: undefined });
  const response = await app.request("http://127.0.0.1/status");
  assert.equal(response.headers.get("cache-control"), "no-store");
  assert.deepEqual(await response.json(), { packets: 7 });
});
