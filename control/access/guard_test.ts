import assert from "node:assert/strict";
import { controlRig } from "../control_rig.ts";
import { declaredRoutes } from "../api/openapi.ts";
import { operationOf, type Scope, scopes } from "../api/operation.ts";

const host = "http://127.0.0.1:9000";

/** A rig that a token has closed, and a token of each scope. */
function closedRig() {
  const rig = controlRig({ heartbeatMs: 10 });
  const { tokens } = rig.parts;
  const secrets = Object.fromEntries(scopes.map((scope) => {
    const order = { name: scope, scopes: [scope], expiresMs: null, createdBy: "test" };
    const made = tokens.create(order);
    assert.ok(made.kind === "created");
    return [scope, made.secret];
  })) as Record<Scope, string>;
  const ask = (method: string, path: string, headers: Record<string, string> = {}) => {
    const body = ["POST", "PUT", "PATCH"].includes(method) ? "{}" : undefined;
    return rig.app.request(host + path.replace(/:\w+/g, "none"), { method, headers, body });
  };
  return { ...rig, secrets, ask };
}

const bearer = (secret: string) => ({ authorization: `Bearer ${secret}` });

/** The console's pages hold nothing but themselves. */
const pages = [
  "/",
  "/console",
  "/reference",
  "/console/",
  "/console/:file{[a-z_]+\\.(html|css|js|svg)}",
];

Deno.test("every route declares itself, under a name of its own", async () => {
  const rig = controlRig();
  const undeclared = rig.app.routes.filter(({ method, path, handler }) =>
    method !== "ALL" && operationOf(handler) === undefined &&
    !rig.app.routes.some((other) =>
      other.method === method && other.path === path && operationOf(other.handler)
    )
  );
  assert.deepEqual(undeclared.map(({ path }) => path), pages);
  const ids = declaredRoutes(rig.app).map(({ operation: { id } }) => id);
  assert.ok(ids.length > 15);
  assert.equal(new Set(ids).size, ids.length);
  await rig.close();
});

Deno.test("what everybody may ask is this and no more", async () => {
  const rig = controlRig();
  const open = declaredRoutes(rig.app).filter(({ operation }) => operation.scopes.length === 0);
  assert.deepEqual(open.map(({ method, path }) => `${method} ${path}`), [
    "POST /console/session",
    "DELETE /console/session",
    "GET /openapi.json",
  ]);
  await rig.close();
});

Deno.test("each route refuses who has no token, or not its scope, and takes who has", async () => {
  const rig = closedRig();
  for (const { method, path, operation } of declaredRoutes(rig.app)) {
    if (operation.scopes.length === 0) continue;
    const line = `${method} ${path}`;
    for (const headers of [{}, bearer("dlk_0123456789ab_" + "A".repeat(43)), bearer("x")]) {
      const stranger = await rig.ask(method, path, headers);
      assert.equal(stranger.status, 401, line);
      assert.match(stranger.headers.get("www-authenticate") ?? "", /^Bearer realm="/, line);
      await stranger.body?.cancel();
    }
    for (const scope of scopes) {
      const answer = await rig.ask(method, path, bearer(rig.secrets[scope]));
      const allowed = scope === "admin" || operation.scopes.includes(scope);
      if (allowed) assert.ok(![401, 403].includes(answer.status), `${line} with ${scope}`);
      else {
        assert.equal(answer.status, 403, `${line} with ${scope}`);
        const challenge = answer.headers.get("www-authenticate") ?? "";
        assert.match(challenge, /error="insufficient_scope", scope="/, line);
        assert.match((await answer.json()).error, new RegExp(`received ${scope}$`));
      }
      if (!answer.bodyUsed) await answer.body?.cancel();
    }
  }
  assert.equal(rig.events.some((event) => event.kind === "turned_away"), true);
  await rig.close();
});

Deno.test("the token of a set-top box speaks for set-top boxes alone", async () => {
  const rig = closedRig();
  const say = (scope: Scope, method: string, path: string, body?: object) =>
    rig.app.request(host + path, {
      method,
      headers: bearer(rig.secrets[scope]),
      body: body && JSON.stringify(body),
    });
  const node = (id: string, role: string) => ({
    id,
    role,
    url: "http://198.51.100.1/",
    adminUrl: "http://198.51.100.1:9080/",
    version: "1.0.0",
  });
  for (const role of ["edge", "shield", "headend"]) {
    const answer = await say("box", "POST", "/nodes", node("mine", role));
    assert.equal(answer.status, 403, role);
    assert.match((await answer.json()).error, /need scope node/);
  }
  const status = async (...call: Parameters<typeof say>) => {
    const answer = await say(...call);
    await answer.body?.cancel();
    return answer.status;
  };
  assert.equal(await status("node", "POST", "/nodes", node("edge-1", "edge")), 201);
  assert.equal(await status("box", "POST", "/nodes", node("edge-1", "stb")), 409);
  assert.equal(await status("box", "POST", "/nodes/edge-1/heartbeat", { appliedSeq: 0 }), 404);
  assert.equal(await status("box", "DELETE", "/nodes/edge-1"), 404);
  assert.equal(await status("box", "POST", "/nodes", node("box-1", "stb")), 201);
  assert.equal(await status("box", "POST", "/nodes/box-1/heartbeat", { appliedSeq: 0 }), 200);
  assert.equal(await status("box", "DELETE", "/nodes/box-1"), 204);
  assert.equal(await status("node", "DELETE", "/nodes/edge-1"), 204);
  await rig.close();
});

Deno.test("a token in force counts at once and to the last moment, a revoked one never", async () => {
  const rig = controlRig();
  const make = async (body: object, headers = {}) => {
    const init = { method: "POST", headers, body: JSON.stringify(body) };
    const answer = await rig.app.request(`${host}/tokens`, init);
    assert.equal(answer.status, 201);
    return await answer.json();
  };
  const admin = await make({ name: "ops", scopes: ["admin"] });
  const status = async (secret?: string) => {
    const headers = secret === undefined ? {} : bearer(secret);
    return (await rig.app.request(`${host}/nodes`, { headers })).status;
  };
  assert.equal(await status(), 401, "the first token closes the API");
  const brief = await make(
    { name: "brief", scopes: ["read"], expiresSeconds: 60 },
    bearer(admin.token),
  );
  assert.equal(await status(brief.token), 200);
  rig.clock.nowMs += 60_000;
  assert.equal(await status(brief.token), 401);
  const list = await (await rig.app.request(`${host}/tokens`, { headers: bearer(admin.token) }))
    .json();
  assert.deepEqual(list.tokens.map(({ name }: { name: string }) => name), ["brief", "ops"]);
  assert.equal(JSON.stringify(list).includes(admin.token.slice(17)), false);
  const init = { method: "DELETE", headers: bearer(admin.token) };
  assert.equal((await rig.app.request(`${host}/tokens/${admin.id}`, init)).status, 204);
  assert.equal(await status(admin.token), 401);
  assert.equal(await status(), 401, "what a token has closed does not open again");
  await rig.close();
});

Deno.test("the first token by API may do everything: it closes the API", async () => {
  const rig = controlRig();
  const make = (scopes: string[]) => rig.ask("POST", "/tokens", { name: "a", scopes });
  const refused = await make(["read", "purge"]);
  assert.equal(refused.status, 400);
  assert.match((await refused.json()).error, /need scope admin for the first one: received read,/);
  assert.equal((await rig.ask("GET", "/nodes")).status, 200, "still open");
  assert.equal((await make(["admin"])).status, 201);
  assert.equal((await rig.ask("GET", "/nodes")).status, 401);
  await rig.close();
});

Deno.test("no secret is in the database or in the audit log", async () => {
  const file = await Deno.makeTempFile();
  const rig = controlRig({ file });
  const made = await (await rig.ask("POST", "/tokens", { name: "a", scopes: ["admin"] })).json();
  const signIn = await rig.app.request(`${host}/console/session`, {
    method: "POST",
    body: JSON.stringify({ token: made.token }),
  });
  const cookie = /downlink_session=([^;]+)/.exec(signIn.headers.get("set-cookie") ?? "")![1];
  await rig.close();
  for (const suffix of ["", "-wal"]) {
    const bytes = await Deno.readFile(file + suffix).catch(() => new Uint8Array());
    const text = new TextDecoder("latin1").decode(bytes);
    for (const secret of [made.token, cookie]) assert.ok(!text.includes(secret.slice(17)));
  }
  await Deno.remove(file);
});

Deno.test("the session of a browser: cookie, scopes, sign-out, the end of its token", async () => {
  const rig = closedRig();
  const signIn = (body: object, headers = {}) =>
    rig.app.request(`${host}/console/session`, {
      method: "POST",
      headers,
      body: JSON.stringify(body),
    });
  assert.equal((await signIn({ token: "wrong" })).status, 401);
  assert.equal((await signIn({})).status, 400);
  const evil = await signIn({ token: rig.secrets.read }, { origin: "http://127.0.0.1:8090" });
  assert.equal(evil.status, 403, "another page may not sign the user in");
  const answer = await signIn({ token: rig.secrets.read }, { origin: host });
  assert.equal(answer.status, 204);
  const set = answer.headers.get("set-cookie") ?? "";
  assert.match(set, /^downlink_session=[^;]+; Max-Age=43200; Path=\/; HttpOnly; SameSite=Strict$/);
  const cookie = set.split(";")[0];
  const get = (headers = {}) =>
    rig.app.request(`${host}/nodes`, { headers: { cookie, ...headers } });
  assert.equal((await get()).status, 200);
  assert.equal((await get({ "sec-fetch-site": "same-origin" })).status, 200);
  assert.equal((await get({ "sec-fetch-site": "same-site" })).status, 403, "another port");
  const who = await rig.app.request(`${host}/console/session`, { headers: { cookie } });
  assert.deepEqual(await who.json(), { name: "read", scopes: ["read"], open: false });
  const purge = await rig.app.request(`${host}/purges`, {
    method: "POST",
    headers: { cookie, origin: host },
    body: '{"kind":"all"}',
  });
  assert.equal(purge.status, 403, "a read token cannot purge");
  await rig.app.request(`${host}/console/session`, { method: "DELETE", headers: { cookie } });
  assert.equal((await get()).status, 401, "signed out");
  await rig.close();
});

Deno.test("a cookie alone changes nothing: the request must come from control's own page", async () => {
  const rig = closedRig();
  const secret = rig.parts.sessions.open(rig.parts.tokens.find(rig.secrets.purge)!.id);
  const purge = async (headers: Record<string, string>, base = host) => {
    const cookie = `downlink_session=${secret}`;
    const init = { method: "POST", headers: { cookie, ...headers }, body: '{"kind":"all"}' };
    return (await rig.app.request(`${base}/purges`, init)).status;
  };
  assert.equal(await purge({}), 403, "no Origin");
  assert.equal(await purge({ origin: "http://127.0.0.1:8090" }), 403);
  assert.equal(await purge({ origin: "null" }), 403);
  assert.equal(await purge({ origin: host, "sec-fetch-site": "cross-site" }), 403);
  assert.equal(await purge({ origin: host }), 202);
  assert.equal(
    await purge({ origin: "https://control.example" }, "http://control.example"),
    202,
    "behind TLS",
  );
  rig.parts.tokens.revoke(rig.parts.tokens.find(rig.secrets.purge)!.id);
  assert.equal(await purge({ origin: host }), 401, "its token has ended");
  await rig.close();
});

Deno.test("over HTTPS the cookie is for HTTPS alone", async () => {
  const rig = closedRig();
  const answer = await rig.app.request("http://control.example/console/session", {
    method: "POST",
    headers: { origin: "https://control.example" },
    body: JSON.stringify({ token: rig.secrets.read }),
  });
  assert.match(answer.headers.get("set-cookie") ?? "", /; Secure; SameSite=Strict$/);
  await rig.close();
});

Deno.test("an unknown path is 404 and a wrong method 405, for who may know", async () => {
  const rig = closedRig();
  const { read } = rig.secrets;
  assert.equal((await rig.ask("GET", "/none")).status, 401);
  assert.equal((await rig.ask("GET", "/none", bearer(read))).status, 404);
  const answer = await rig.ask("PATCH", "/purges", bearer(read));
  assert.deepEqual([answer.status, answer.headers.get("allow")], [405, "GET, POST"]);
  await rig.close();
});

Deno.test("the audit log says who changed what, from where, and what came of it", async () => {
  const rig = closedRig();
  const base = rig.serve();
  const send = async (method: string, path: string, scope: Scope | undefined, body?: object) => {
    const headers = scope === undefined ? undefined : bearer(rig.secrets[scope]);
    const init = { method, headers, body: body && JSON.stringify(body) };
    const answer = await fetch(base + path, init);
    await answer.body?.cancel();
    return answer.status;
  };
  await send("POST", "/purges", "purge", { kind: "tag", values: ["news", "sport"], soft: true });
  await send("POST", "/purges", "read", { kind: "all" });
  await send("POST", "/purges", undefined, { kind: "all" });
  await send("POST", "/nodes/none/heartbeat", "node", {});
  await send("GET", "/nodes", "read");
  await send("POST", "/tokens", "admin", { name: "cms", scopes: ["purge"] });
  const headers = bearer(rig.secrets.admin);
  const { entries } = await (await fetch(`${base}/audit`, { headers })).json();
  const shown = entries.map((entry: Record<string, unknown>) =>
    [entry.who, entry.action, entry.detail, entry.status, entry.address].join(" | ")
  );
  assert.deepEqual(shown, [
    "purge | createPurge | tag news sport (2), soft | 202 | 127.0.0.1",
    "read | createPurge |  | 403 | 127.0.0.1",
    "admin | createToken | cms: purge | 201 | 127.0.0.1",
  ]);
  assert.equal(rig.log.newest(1)[0].issuer, "purge");
  const rest = await (await fetch(`${base}/audit?after=2&limit=5`, { headers })).json();
  assert.deepEqual(rest.entries.map(({ id }: { id: number }) => id), [3]);
  for (const bad of ["after=x", "limit=0", "limit=1001", "after=-1"]) {
    const answer = await fetch(`${base}/audit?${bad}`, { headers });
    assert.equal(answer.status, 400, bad);
    await answer.body?.cancel();
  }
  await rig.close();
});
