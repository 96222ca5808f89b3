/**
 * Who may use control's API: the bearer of a token (RFC 6750) with a scope that the route names, the
 * browser that showed one; or, while there is no token and control listens on a loopback address,
 * local programs, control's own pages and the web pages that were named.
 *
 * @module
 */

import type { Context, MiddlewareHandler } from "hono";
import { getCookie } from "hono/cookie";
import { matchedRoutes } from "hono/route";
import { isLoopback } from "#config";
import { type Operation, operationOf, type Scope } from "../api/operation.ts";
import type { AuditLog } from "./audit.ts";
import { type Caller, mayDo } from "./caller.ts";
import { sameSecret } from "./secret.ts";
import type { Sessions } from "./sessions.ts";
import type { Tokens } from "./tokens.ts";

/** Why a caller was turned away; the words are metric labels. */
export type AccessRefusal =
  | "no_token"
  | "invalid_token"
  | "insufficient_scope"
  | "foreign_page"
  | "foreign_host";

/** Why nobody knows who a caller is. */
type Stranger = Exclude<AccessRefusal, "insufficient_scope">;

/** Who is let in. */
export interface AccessOptions {
  /** The token of `--token-file`, which may do everything. */
  readonly token: string | undefined;
  /** Origins of web pages whose scripts may use the API, for example `http://127.0.0.1:8090`. */
  readonly pageOrigins: readonly string[];
}

/** What the guard works with. */
export interface GuardParts {
  readonly tokens: Tokens;
  readonly sessions: Sessions;
  readonly audit: AuditLog;
  readonly nowMs: () => number;
  readonly onEvent: (event: { kind: "turned_away"; reason: AccessRefusal }) => void;
}

/** Name of the console's cookie. */
export const sessionCookie = "downlink_session";

/** Makes the middleware that stands before every route of the API. */
export function accessGuard(parts: GuardParts, options: AccessOptions): MiddlewareHandler {
  return async (c, next) => {
    const page = namedPage(c, options);
    if (page && c.req.method === "OPTIONS") return preflight(c);
    const declared = declaredIn(c);
    if (declared?.scopes.length === 0) return await next();
    const found = identify(c, parts, options);
    if (typeof found === "string") return turnAway(c, parts, found);
    const wanted = declared?.scopes ?? [];
    c.set("caller", found);
    c.set("isStillKnown", () => typeof identify(c, parts, options) !== "string");
    const allowed = mayDo(found, wanted) || !answered(c);
    if (allowed) await next();
    else c.res = lackOfScope(c, parts, found, wanted);
    audit(c, parts, { declared, found, status: c.res.status });
  };
}

/** Whether control is open to whoever can reach its loopback address. */
export function isOpen({ tokens }: Pick<GuardParts, "tokens">, { token }: AccessOptions): boolean {
  return token === undefined && !tokens.any;
}

/** Whether a request came from a page of the control that it was sent to. */
export function fromOwnPage(c: Context): boolean {
  const origin = c.req.header("origin");
  return origin !== undefined && URL.canParse(origin) &&
    new URL(origin).host === new URL(c.req.url).host;
}

function namedPage(c: Context, { pageOrigins }: AccessOptions): boolean {
  const origin = c.req.header("origin");
  if (origin === undefined || !pageOrigins.includes(origin)) return false;
  c.header("access-control-allow-origin", origin);
  c.header("vary", "origin");
  return true;
}

function preflight(c: Context): Response {
  c.header("access-control-allow-methods", "GET, POST");
  c.header("access-control-allow-headers", "authorization, content-type");
  return c.body(null, 204);
}

/** What the route that will answer declares. */
export function declaredIn(c: Context): Operation | undefined {
  for (const { handler } of matchedRoutes(c)) {
    const declared = operationOf(handler);
    if (declared !== undefined) return declared;
  }
  return undefined;
}

/** Whether there is a route: what there is not, everybody known may learn. */
function answered(c: Context): boolean {
  return matchedRoutes(c).some(({ method }) => method !== "ALL");
}

function identify(
  c: Context,
  parts: GuardParts,
  options: AccessOptions,
): Caller | Stranger {
  if (isOpen(parts, options)) return local(c, options);
  const authorization = c.req.header("authorization");
  if (authorization !== undefined) return byToken(authorization, parts, options);
  const cookie = getCookie(c, sessionCookie);
  return cookie === undefined ? "no_token" : bySession(c, cookie, parts, options);
}

/** Refuses what a web page could send on a user's behalf, also through DNS rebinding. */
function local(c: Context, options: AccessOptions): Caller | Stranger {
  if (!isLoopback(new URL(c.req.url).hostname.replace(/^\[|\]$/g, ""))) return "foreign_host";
  const origin = c.req.header("origin");
  const own = origin === undefined || fromOwnPage(c) || options.pageOrigins.includes(origin);
  return own ? { name: "local", scopes: ["admin"], road: "local" } : "foreign_page";
}

function byToken(
  authorization: string,
  { tokens }: GuardParts,
  options: AccessOptions,
): Caller | Stranger {
  const secret = /^Bearer +(\S+)$/i.exec(authorization)?.[1] ?? "";
  if (options.token !== undefined && sameSecret(secret, options.token)) return fromFile;
  const token = tokens.find(secret);
  return token === undefined ? "invalid_token" : { ...token, road: "token" };
}

/** Who has the token of `--token-file`. */
const fromFile: Caller = { name: "token-file", scopes: ["admin"], road: "token_file" };

/** Id of the token of `--token-file` among the sessions. */
export const fileTokenId = "token-file";

function bySession(
  c: Context,
  cookie: string,
  { sessions, tokens }: GuardParts,
  { token: fileToken }: AccessOptions,
): Caller | Stranger {
  // Cookies know no ports: another service of this host is another page.
  const site = c.req.header("sec-fetch-site") ?? "none";
  if (site !== "same-origin" && site !== "none") return "foreign_page";
  if (changes(c.req.method) && !fromOwnPage(c)) return "foreign_page";
  const id = sessions.tokenOf(cookie);
  if (id === undefined) return "invalid_token";
  if (id === fileTokenId) {
    return fileToken === undefined ? "invalid_token" : { ...fromFile, road: "session" };
  }
  const token = tokens.byId(id);
  return token === undefined ? "invalid_token" : { ...token, road: "session" };
}

function changes(method: string): boolean {
  return method !== "GET" && method !== "HEAD";
}

const needs: Readonly<Record<Stranger, string>> = {
  no_token: "need Authorization: Bearer with a token: received none",
  invalid_token: "need a token in force: received another one",
  foreign_page: "need a local caller that is no foreign page: received another origin",
  foreign_host: "need a loopback name of this machine as Host: received another one",
};

function turnAway(
  c: Context,
  parts: GuardParts,
  reason: Stranger,
): Response {
  parts.onEvent({ kind: "turned_away", reason });
  const error = `Cannot allow this: ${needs[reason]}`;
  if (reason === "foreign_page" || reason === "foreign_host") return c.json({ error }, 403);
  const challenge = 'Bearer realm="downlink-control"';
  const why = reason === "invalid_token" ? ', error="invalid_token"' : "";
  return c.json({ error }, 401, { "www-authenticate": challenge + why });
}

function lackOfScope(
  c: Context,
  { onEvent }: GuardParts,
  { scopes }: Caller,
  wanted: readonly Scope[],
): Response {
  onEvent({ kind: "turned_away", reason: "insufficient_scope" });
  const [first = "admin"] = wanted;
  const challenge = `Bearer realm="downlink-control", error="insufficient_scope", scope="${first}"`;
  const need = [...new Set([first, ...wanted, "admin"])].join(" or ");
  const error = `Cannot allow this: need scope ${need}: received ${scopes.join(", ")}`;
  return c.json({ error }, 403, { "www-authenticate": challenge });
}

/** Notes what changes something, and what a known caller was refused. */
function audit(
  c: Context,
  { audit, nowMs }: GuardParts,
  { declared, found, status }: {
    declared: Operation | undefined;
    found: Caller;
    status: number;
  },
): void {
  if (!changes(c.req.method) || declared === undefined || declared.audited === false) return;
  // Who comes too often must not push out of the log what others did.
  if (status === 429) return;
  audit.add({
    atMs: nowMs(),
    who: found.name,
    action: declared.id,
    method: c.req.method,
    path: c.req.path,
    detail: c.get("auditDetail") ?? "",
    address: c.env?.remote?.hostname ?? "",
    status,
  });
}
