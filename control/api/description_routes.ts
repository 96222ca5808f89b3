/**
 * `GET /openapi.json`: the API described by its own routes.
 *
 * @module
 */

import { Hono } from "hono";
import * as v from "valibot";
import { version } from "#build";
import { declaredRoutes, openApiDocument } from "./openapi.ts";
import { operation } from "./operation.ts";

const description =
  "The control API of Downlink: topology, nodes, purges, tokens. Every refusal is " +
  "one sentence under `error`. Callers bring `Authorization: Bearer` with a token; a token with " +
  "scope `admin` may do everything.";

const describeApi = operation({
  id: "describeApi",
  tag: "description",
  summary: "Get this document",
  scopes: [],
  answers: {
    200: { text: "An OpenAPI 3.1 document.", schema: v.looseObject({ openapi: v.string() }) },
  },
});

/** Makes the route; it describes what `app` has when it is first asked. */
export function descriptionRoutes(app: Hono): Hono {
  let document: string | undefined;
  const routes = new Hono();
  routes.get("/openapi.json", describeApi, (c) => {
    document ??= JSON.stringify(openApiDocument(declaredRoutes(app), { version, description }));
    return c.body(document, 200, { "content-type": "application/json" });
  });
  return routes;
}
