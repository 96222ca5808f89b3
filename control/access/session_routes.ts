/**
 * The console's sign-in: a token for a cookie that scripts cannot read and other sites cannot use.
 *
 * @module
 */

import { type Context, Hono } from "hono";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import * as v from "valibot";
import { refusalSchema } from "../api/openapi.ts";
import { operation, scopes } from "../api/operation.ts";
import { readJson } from "../body.ts";
import { callerOf } from "./caller.ts";
import {
  type AccessOptions,
  fileTokenId,
  fromOwnPage,
  type GuardParts,
  isOpen,
  sessionCookie,
} from "./guard.ts";
import { sameSecret } from "./secret.ts";
import { sessionMs } from "./sessions.ts";

const signInSchema = v.pipe(
  v.strictObject({ token: v.pipe(v.string(), v.maxLength(512)) }),
  v.title("SignIn"),
);

const sessionSchema = v.pipe(
  v.strictObject({
    name: v.pipe(v.string(), v.description("Name of the token")),
    scopes: v.array(v.picklist(scopes)),
    open: v.pipe(v.boolean(), v.description("Control asks nobody for a token")),
  }),
  v.title("Session"),
);

const showSession = operation({
  id: "showSession",
  tag: "session",
  summary: "Say who calls and what it may do",
  scopes,
  answers: { 200: { text: "The caller.", schema: sessionSchema } },
});

const openSession = operation({
  id: "openSession",
  tag: "session",
  summary: "Sign in: show a token once, get a cookie for twelve hours",
  scopes: [],
  body: signInSchema,
  answers: {
    204: { text: "The cookie is set: HttpOnly, SameSite=Strict." },
    401: { text: "The token is not in force.", schema: refusalSchema },
  },
});

const closeSession = operation({
  id: "closeSession",
  tag: "session",
  summary: "Sign out",
  scopes: [],
  answers: { 204: { text: "The cookie is worth nothing any more." } },
});

/** Makes the routes of `/console/session`. */
export function sessionRoutes(parts: GuardParts, options: AccessOptions): Hono {
  const { sessions } = parts;
  const app = new Hono();
  const path = "/console/session";
  app.get(path, showSession, (c) => {
    const { name, scopes } = callerOf(c);
    return c.json({ name, scopes, open: isOpen(parts, options) });
  });
  app.post(path, openSession, async (c) => {
    if (foreign(c)) return refuse(c, 403, "need a page of this control: received another origin");
    const body = await readJson(c.req.raw, 4096);
    if (body.kind === "refused") return c.json({ error: body.sentence }, body.status);
    const parsed = v.safeParse(signInSchema, body.value);
    if (!parsed.success) return refuse(c, 400, "need a token as token: received none");
    const id = tokenIdOf(parsed.output.token, parts, options);
    if (id === undefined) {
      parts.onEvent({ kind: "turned_away", reason: "invalid_token" });
      c.header("www-authenticate", 'Bearer realm="downlink-control", error="invalid_token"');
      return refuse(c, 401, "need a token in force: received another one");
    }
    setCookie(c, sessionCookie, sessions.open(id), {
      path: "/",
      httpOnly: true,
      sameSite: "Strict",
      // Whether TLS ends in front of control, the browser knows.
      secure: c.req.header("origin")?.startsWith("https:") ?? false,
      maxAge: sessionMs / 1000,
    });
    return c.body(null, 204);
  });
  app.delete(path, closeSession, (c) => {
    if (foreign(c)) return refuse(c, 403, "need a page of this control: received another origin");
    const cookie = getCookie(c, sessionCookie);
    if (cookie !== undefined) sessions.close(cookie);
    deleteCookie(c, sessionCookie, { path: "/" });
    return c.body(null, 204);
  });
  return app;
}

/** Whether another site's page sent this. */
function foreign(c: Context): boolean {
  return c.req.header("origin") !== undefined && !fromOwnPage(c);
}

function tokenIdOf(
  secret: string,
  { tokens }: GuardParts,
  { token }: AccessOptions,
): string | undefined {
  if (token !== undefined && sameSecret(secret, token)) return fileTokenId;
  return tokens.find(secret)?.id;
}

function refuse(c: Context, status: 400 | 401 | 403, need: string): Response {
  return c.json({ error: `Cannot sign in: ${need}` }, status);
}
