import assert from "node:assert/strict";
import { encodeServiceList } from "#dvbi";
import { probeMulticast } from "#multicast";
import { programs } from "../tools/programs.ts";
import { Child } from "./child.ts";
import { answers, sendJson } from "./http_json.ts";
import { Ports } from "./ports.ts";

const root = new URL("../", import.meta.url);
const group = "239.255.70.1";
const multicast = await probeMulticast("127.0.0.1") === true;

/** Starts a program with the permissions that it ships with. */
function start(name: string, args: readonly string[]): Child {
  const row = programs.find((each) => each.name === name);
  assert.ok(row, name);
  const program = Deno.execPath();
  const before = ["run", "--quiet", "--no-lock", ...row.permissions, row.main];
  return new Child({
    name,
    program,
    args: [...before, ...args, "--log-format", "json"],
    cwd: root,
  });
}

/** A headend may carry files alone. */
const emptyList = encodeServiceList({
  id: "tag:example.org,2026:list",
  version: 1,
  language: "en",
  name: "Files",
  providerName: "Example",
  relatedMaterials: [],
  lcnTables: [],
  services: [],
});

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (const lastMs = performance.now() + 30_000; !await holds();) {
    assert.ok(performance.now() < lastMs, `${what} did not come about`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function body(url: string): Promise<string> {
  const answer = await fetch(url).catch(() => undefined);
  const text = await answer?.text();
  return answer?.status === 200 ? text ?? "" : `status ${answer?.status}`;
}

Deno.test({
  name: "a purge reaches a home that has no way back, by a signed notice on the air" +
    (multicast ? "" : " (needs multicast on the loopback)"),
  ignore: !multicast,
  async fn() {
    const dir = await Deno.makeTempDir({ prefix: "downlink-notice-" });
    const ports = new Ports({ usual: false });
    const at = () => `127.0.0.1:${ports.tcp(0)}`;
    const [originAt, control, headendAdmin, box, boxAdmin] = [at(), at(), at(), at(), at()];
    let edition: string | undefined = "first edition";
    const abort = new AbortController();
    const [hostname, port] = originAt.split(":");
    const origin = Deno.serve(
      { hostname, port: Number(port), signal: abort.signal, onListen: () => {} },
      (request) => {
        const { pathname } = new URL(request.url);
        const headers = { "cache-control": "max-age=60", "surrogate-key": "notice" };
        if (pathname === "/dvbi/services.xml") {
          return new Response(emptyList);
        }
        return edition === undefined || pathname !== "/files/notice.txt"
          ? new Response(null, { status: 503 })
          : new Response(edition, { headers: { ...headers, etag: `"${edition}"` } });
      },
    );
    const children: Child[] = [];
    try {
      const keyCommand = await new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", "--quiet", "satellite/main.ts", "key", "--out", `${dir}/notices.pem`],
        cwd: root,
      }).output();
      assert.equal(keyCommand.code, 0);
      const key = new TextDecoder().decode(keyCommand.stdout).trim();
      const controlAdmin = at();
      children.push(start("control", [
        ...["--listen", control, "--admin", controlAdmin, "--data", `${dir}/control`],
      ]));
      await until("control", () => answers(`http://${controlAdmin}/readyz`));
      children.push(start("headend", [
        ...["--origin", `http://${originAt}`, "--file", "/files/notice.txt", "--refill", "1s"],
        ...["--group", `${group}:${ports.udp(0, group)}`, "--interface", "127.0.0.1"],
        ...["--session-file", `${dir}/session.xml`, "--sign-key", `${dir}/notices.pem`],
        ...["--control", `http://${control}`, "--data", `${dir}/headend`, "--admin", headendAdmin],
      ]));
      await until("the headend", () => answers(`http://${headendAdmin}/readyz`));
      children.push(start("stb", [
        ...["--session", `${dir}/session.xml`, "--interface", "127.0.0.1", "--mdns", "off"],
        ...["--cache", `${dir}/box`, "--cache-size", "10MiB", "--trust-key", key],
        ...["--listen", box, "--admin", boxAdmin],
      ]));
      const file = `http://${box}/files/notice.txt`;
      await until("the first edition", async () => await body(file) === "first edition");
      const applied = async () => (await (await fetch(`http://${box}/api/status`)).json()).purge;

      edition = undefined; // nothing new comes to take its place
      const { seq } = await sendJson<{ seq: number }>(
        "POST",
        `http://${control}/purges`,
        { kind: "tag", values: ["notice"] },
      );
      await until("the withdrawal", async () => (await applied()).appliedSeq >= seq);
      assert.match(await body(file), /^status (404|504)$/);

      edition = "second edition";
      await until("the second edition", async () => await body(file) === "second edition");
      const metrics = await (await fetch(`http://${boxAdmin}/metrics`)).text();
      assert.match(metrics, /stb_notices_total\{outcome="applied"\} [1-9]/);
      assert.doesNotMatch(metrics, /stb_notices_total\{outcome="(bad|untrusted|malformed)/);
    } finally {
      for (const child of children.reverse()) await child.stop(5000);
      abort.abort();
      await origin.finished;
      await Deno.remove(dir, { recursive: true });
    }
  },
});
