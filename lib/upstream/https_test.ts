import assert from "node:assert/strict";
import { NextHopError } from "#cache";
import { serve } from "#http1";
import { httpNextHop } from "./mod.ts";

/** A certificate for localhost that signs itself; `undefined` without openssl. */
async function selfSigned(): Promise<{ cert: string; key: string } | undefined> {
  const args = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"];
  args.push("-nodes", "-keyout", "-", "-days", "1", "-subj", "/CN=hop");
  args.push("-addext", "subjectAltName=DNS:localhost");
  args.push("-addext", "basicConstraints=critical,CA:FALSE");
  const made = await new Deno.Command("openssl", { args }).output().catch(() => undefined);
  if (!made?.success) return undefined;
  const pem = new TextDecoder().decode(made.stdout);
  const start = pem.indexOf("-----BEGIN CERTIFICATE-----");
  return { key: pem.slice(0, start), cert: pem.slice(start) };
}

const tls = await selfSigned();
const ignore = tls === undefined;
const titled = (name: string) => ignore ? `${name} (skipped: no openssl)` : name;
const get = { method: "GET", target: "/1.ts", fields: [], appliedSeq: 0 } as const;

Deno.test({
  name: titled("an https next hop is fetched from, on one connection, with Host as in its URL"),
  ignore,
  async fn() {
    let accepted = 0;
    const server = serve({
      hostname: "127.0.0.1",
      port: 0,
      tls,
      handler: (request) => new Response(`${request.url} ${"x".repeat(300_000)}`),
      onEvent: ({ kind }) => accepted += kind === "accepted" ? 1 : 0,
    });
    const url = new URL(`https://localhost:${server.address.port}/`);
    const hop = httpNextHop({ url, caCerts: [tls!.cert] });
    for (let n = 0; n < 3; n++) {
      const { status, body } = await hop.fetch(get);
      assert.equal(status, 200);
      const text = await new Response(body).text();
      assert.equal(text, `${url.href}1.ts ${"x".repeat(300_000)}`);
    }
    assert.equal(accepted, 1);
    hop.close();
    await server.drain(1_000);
  },
});

Deno.test({
  name: titled("an https next hop whose certificate nobody vouches for is refused"),
  ignore,
  async fn() {
    const handler = () => new Response("secret");
    const server = serve({ hostname: "127.0.0.1", port: 0, tls, handler });
    const { port } = server.address;
    const doubted = httpNextHop({ url: new URL(`https://localhost:${port}/`) });
    const misnamed = httpNextHop({
      url: new URL(`https://127.0.0.1:${port}/`),
      caCerts: [tls!.cert],
    });
    for (const hop of [doubted, misnamed]) {
      await assert.rejects(hop.fetch(get), (error) => {
        return error instanceof NextHopError && error.reason === "refused";
      });
      hop.close();
    }
    await server.drain(1_000);
  },
});

Deno.test({
  name: titled("an https next hop that never shakes hands is a time-out, not a hang"),
  ignore,
  async fn() {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = listener.addr as Deno.NetAddr;
    const url = new URL(`https://localhost:${port}/`);
    const hop = httpNextHop({ url, connectTimeoutMs: 200 });
    const fetching = hop.fetch(get);
    const silent = await listener.accept();
    await assert.rejects(fetching, { reason: "timeout" });
    silent.close();
    listener.close();
    hop.close();
  },
});
