import assert from "node:assert/strict";
import { Validator } from "@seriousme/openapi-schema-validator";
import { controlRig } from "../control_rig.ts";
import { operation } from "./operation.ts";
import { checkAnswers } from "./answer_check_rig.ts";
import { declaredRoutes, describedPath } from "./openapi.ts";
import { Hono } from "hono";
import * as v from "valibot";

async function documentOf(rig: ReturnType<typeof controlRig>) {
  return await (await rig.ask("GET", "/openapi.json")).json();
}

Deno.test("the description is valid OpenAPI 3.1", async () => {
  const rig = controlRig();
  const result = await new Validator().validate(await documentOf(rig));
  assert.deepEqual(result.errors ?? [], []);
  assert.equal(result.valid, true);
  await rig.close();
});

Deno.test("the validator finds what is wrong with one that is not", async () => {
  const rig = controlRig();
  const document = await documentOf(rig);
  document.paths["/nodes"].get.responses["200"].content = 7;
  assert.equal((await new Validator().validate(document)).valid, false);
  await rig.close();
});

Deno.test("every route is in the description, with its parameters and its scopes", async () => {
  const rig = controlRig();
  const document = await documentOf(rig);
  for (const { method, path, operation } of declaredRoutes(rig.app)) {
    const named = describedPath(path);
    const entry = document.paths[named]?.[method.toLowerCase()];
    assert.equal(entry?.operationId, operation.id, `${method} ${path}`);
    assert.equal(entry.security.length, operation.scopes.length);
    const names = (entry.parameters ?? []).filter((p: { in: string }) => p.in === "path").length;
    assert.equal(names, named.split("{").length - 1);
    assert.match(entry.summary, /^[A-Z].*[^.]$/);
  }
  const text = JSON.stringify(document);
  for (const [, name] of text.matchAll(/#\/components\/schemas\/(\w+)/g)) {
    assert.ok(document.components.schemas[name], name);
  }
  await rig.close();
});

Deno.test("an answer that its description does not allow fails the test that got it", async () => {
  const app = new Hono();
  const answers = { 200: { text: "A number.", schema: v.strictObject({ n: v.number() }) } };
  const one = operation({ id: "one", tag: "t", summary: "One", scopes: [], answers });
  app.get("/right", one, (c) => c.json({ n: 1 }));
  app.get("/wrong", one, (c) => c.json({ n: "1" }));
  app.get("/more", one, (c) => c.json({ n: 1, m: 1 }));
  app.get("/status", one, (c) => c.json({ n: 1 }, 202));
  app.get("/type", one, (c) => c.text("1"));
  checkAnswers(app);
  assert.equal((await app.request("/right")).status, 200);
  await assert.rejects(async () => await app.request("/wrong"), /must be number/);
  await assert.rejects(async () => await app.request("/more"), /additional properties/);
  await assert.rejects(async () => await app.request("/status"), /not in the description/);
  await assert.rejects(async () => await app.request("/type"), /text\/plain/);
});
