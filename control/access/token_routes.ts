/**
 * The token API: make, list, revoke.
 *
 * @module
 */

import { Hono } from "hono";
import * as v from "valibot";
import { operation, scopes } from "../api/operation.ts";
import { refusalSchema } from "../api/openapi.ts";
import { timeMs } from "../api/shapes.ts";
import { readJson } from "../body.ts";
import { problemOf } from "../problem.ts";
import { callerOf, noteDetail } from "./caller.ts";
import type { Tokens } from "./tokens.ts";

/** Longest life of a token: ten years. */
const maxLifeSeconds = 3650 * 86_400;

/** The schema of a name: also what stands as the issuer of a purge. */
export const tokenName = v.pipe(v.string(), v.regex(/^[A-Za-z0-9._:@-]{1,64}$/));

const scopeList = v.pipe(v.array(v.picklist(scopes)), v.minLength(1), v.maxLength(scopes.length));

const orderSchema = v.pipe(
  v.strictObject({
    name: tokenName,
    scopes: scopeList,
    expiresSeconds: v.optional(
      v.pipe(
        v.number(),
        v.safeInteger(),
        v.minValue(1),
        v.maxValue(maxLifeSeconds),
        v.description("Seconds from now until it ends; never when absent"),
      ),
    ),
  }),
  v.title("TokenOrder"),
);

const entries = {
  id: v.string(),
  name: v.string(),
  scopes: v.array(v.picklist(scopes)),
  createdMs: timeMs,
  createdBy: v.string(),
  expiresMs: v.nullable(timeMs),
  lastUsedMs: v.nullable(timeMs),
  revokedMs: v.nullable(timeMs),
};

const listSchema = v.pipe(
  v.strictObject({ tokens: v.array(v.strictObject(entries)) }),
  v.title("TokenList"),
);

const createdSchema = v.pipe(
  v.strictObject({
    ...entries,
    token: v.pipe(v.string(), v.description("The token itself, shown this once")),
  }),
  v.title("CreatedToken"),
);

const listTokens = operation({
  id: "listTokens",
  tag: "tokens",
  summary: "List the tokens, newest first, without their secrets",
  scopes: ["admin"],
  answers: { 200: { text: "The tokens, ended ones too.", schema: listSchema } },
});

const createToken = operation({
  id: "createToken",
  tag: "tokens",
  summary: "Make a token",
  scopes: ["admin"],
  body: orderSchema,
  answers: {
    201: { text: "The token; its secret is not shown again.", schema: createdSchema },
    409: { text: "Another token in force has the name.", schema: refusalSchema },
    503: { text: "There are too many tokens.", schema: refusalSchema },
  },
});

const revokeToken = operation({
  id: "revokeToken",
  tag: "tokens",
  summary: "End a token at once, and the console sessions that it opened",
  scopes: ["admin"],
  answers: {
    204: { text: "It has ended." },
    404: { text: "No token in force has this id.", schema: refusalSchema },
  },
});

/** Makes the routes under `/tokens`. */
export function tokenRoutes({ tokens, nowMs }: { tokens: Tokens; nowMs: () => number }): Hono {
  const app = new Hono();
  app.get("/tokens", listTokens, (c) => c.json({ tokens: tokens.list() }));
  app.post("/tokens", createToken, async (c) => {
    const body = await readJson(c.req.raw, 4096);
    if (body.kind === "refused") return c.json({ error: body.sentence }, body.status);
    const parsed = v.safeParse(orderSchema, body.value, { abortEarly: true });
    if (!parsed.success) {
      return c.json({ error: `Cannot make a token: ${problemOf(parsed.issues[0])}` }, 400);
    }
    const { name, scopes, expiresSeconds } = parsed.output;
    noteDetail(c, `${name}: ${scopes.join(" ")}`);
    // The first token closes the API: somebody has to be able to go on.
    if (callerOf(c).road === "local" && !scopes.includes("admin")) {
      const error = `Cannot make a token: need scope admin for the first one: received ${scopes}`;
      return c.json({ error }, 400);
    }
    const made = tokens.create({
      name,
      scopes: [...new Set(scopes)],
      expiresMs: expiresSeconds === undefined ? null : nowMs() + expiresSeconds * 1000,
      createdBy: callerOf(c).name,
    });
    if (made.kind === "created") return c.json({ ...made.token, token: made.secret }, 201);
    if (made.kind === "full") {
      return c.json({ error: "Cannot make a token: need room: received one more" }, 503);
    }
    const error = `Cannot make a token: need a name that no token in force has: received ${name}`;
    return c.json({ error }, 409);
  });
  app.delete("/tokens/:id", revokeToken, (c) => {
    const id = c.req.param("id");
    if (tokens.revoke(id)) return c.body(null, 204);
    const error = `Cannot revoke: need the id of a token in force: received ${id.slice(0, 64)}`;
    return c.json({ error }, 404);
  });
  return app;
}
