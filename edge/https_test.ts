import assert from "node:assert/strict";
import { eventually, freePort, send, startEdge } from "./edge_rig.ts";

/** Files of a certificate for localhost that signs itself; `undefined` without openssl. */
async function certificate(dir: string, name: string) {
  const [cert, key] = [`${dir}/${name}.pem`, `${dir}/${name}.key`];
  const args = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"];
  args.push("-nodes", "-keyout", key, "-out", cert, "-days", "1", "-subj", `/CN=${name}`);
  args.push("-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1");
  args.push("-addext", "basicConstraints=critical,CA:FALSE");
  const made = await new Deno.Command("openssl", { args }).output().catch(() => undefined);
  if (!made?.success) return undefined;
  return { cert, key, certPem: Deno.readTextFileSync(cert), keyPem: Deno.readTextFileSync(key) };
}

const dir = await Deno.makeTempDir({ prefix: "downlink-https-" });
globalThis.addEventListener("unload", () => Deno.removeSync(dir, { recursive: true }));
const own = await certificate(dir, "edge");
const theirs = await certificate(dir, "upstream");
const ignore = own === undefined || theirs === undefined;
const skipped = ignore ? " (skipped: no openssl)" : "";

/** An https upstream on a bare socket, which counts. */
function tlsUpstream(answer: (conn: Deno.TlsConn, path: string) => Promise<void>) {
  const { certPem: cert, keyPem: key } = theirs!;
  const listener = Deno.listenTls({ hostname: "127.0.0.1", port: 0, cert, key });
  const asked: string[] = [];
  const serve = async (conn: Deno.TlsConn) => {
    const buffer = new Uint8Array(65_536);
    for (let read; (read = await conn.read(buffer).catch(() => null)) !== null;) {
      asked.push(new TextDecoder().decode(buffer.subarray(0, read)).split(" ")[1]);
      await answer(conn, asked.at(-1)!).catch(() => {});
    }
    conn.close();
  };
  (async () => {
    for await (const conn of listener) serve(conn).catch(() => {});
  })().catch(() => {});
  return {
    port: (listener.addr as Deno.NetAddr).port,
    asked,
    [Symbol.dispose]: () => listener.close(),
  };
}

/** Passes bytes on to a port, and cuts both ways when told, without a word of TLS. */
function cutter(port: number) {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const open = new Set<Deno.Conn>();
  const pipe = async (from: Deno.Conn, to: Deno.Conn) => {
    const buffer = new Uint8Array(65_536);
    for (let read; (read = await from.read(buffer).catch(() => null)) !== null;) {
      await send(to, buffer.slice(0, read)).catch(() => {});
    }
  };
  (async () => {
    for await (const from of listener) {
      const to = await Deno.connect({ hostname: "127.0.0.1", port });
      open.add(from).add(to);
      void pipe(from, to);
      void pipe(to, from);
    }
  })().catch(() => {});
  const cut = () => {
    for (const conn of open) {
      try {
        conn.close();
      } catch {
        // It was closed already.
      }
    }
    open.clear();
  };
  return {
    port: (listener.addr as Deno.NetAddr).port,
    cut,
    [Symbol.dispose]() {
      listener.close();
      cut();
    },
  };
}

const head = "HTTP/1.1 200 OK\r\ncache-control: max-age=600\r\n";

Deno.test({
  name: `a real edge serves HTTPS from an HTTPS upstream, by its flags alone${skipped}`,
  ignore,
  async fn() {
    const large = "x".repeat(300_000);
    using upstream = tlsUpstream((conn) =>
      send(conn, `${head}content-length: ${large.length}\r\n\r\n${large}`)
    );
    const tls = ["--tls-cert", own!.cert, "--tls-key", own!.key, "--upstream-ca", theirs!.cert];
    const url = `https://localhost:${upstream.port}`;
    await using edge = await startEdge("--upstream", url, ...tls);
    using client = Deno.createHttpClient({ caCerts: [own!.certPem] });
    for (let turn = 0; turn < 3; turn++) {
      const response = await fetch(`https://localhost:${edge.port}/a`, { client });
      assert.equal(await response.text(), large);
      assert.match(response.headers.get("cache-status")!, turn === 0 ? /fwd=/ : /hit/);
    }
    assert.deepEqual(upstream.asked, ["/a"]);
    await assert.rejects(fetch(`https://localhost:${edge.port}/a`), "nobody vouches for it");
    await assert.rejects(fetch(`http://localhost:${edge.port}/a`), "it speaks TLS only");
    await eventually(
      "both are counted",
      async () => await edge.metric("edge_http_closed_total", 'reason="handshake_failed"') >= 2,
    );
  },
});

Deno.test({
  name: `an edge believes no HTTPS upstream that nobody vouches for${skipped}`,
  ignore,
  async fn() {
    using upstream = tlsUpstream((conn) => send(conn, `${head}content-length: 0\r\n\r\n`));
    await using edge = await startEdge("--upstream", `https://localhost:${upstream.port}`);
    const response = await fetch(`${edge.url}/a`);
    await response.body?.cancel();
    assert.equal(response.status, 502);
    assert.equal(await edge.metric("edge_next_hop_failures_total", 'reason="refused"'), 1);
    assert.deepEqual(upstream.asked, []);
  },
});

Deno.test({
  name:
    `what ends without TLS saying so is no whole body (RFC 9112 §9.8) and is not stored${skipped}`,
  ignore,
  async fn() {
    let whole = false;
    using upstream = tlsUpstream(async (conn) => {
      await send(conn, `${head}\r\nbody`); // as long as the connection lasts
      if (whole) await conn.closeWrite();
      else setTimeout(() => proxy.cut(), 50);
    });
    using proxy = cutter(upstream.port);
    const flags = ["--upstream", `https://localhost:${proxy.port}`, "--upstream-ca", theirs!.cert];
    await using edge = await startEdge(...flags);
    const ask = async () => await (await fetch(`${edge.url}/a`)).text().catch(() => "cut");
    assert.equal(await ask(), "cut");
    assert.equal(await edge.metric("edge_cache_objects"), 0);
    whole = true;
    assert.equal(await ask(), "body");
    assert.equal(await ask(), "body");
    assert.deepEqual(upstream.asked, ["/a", "/a"]);
  },
});

Deno.test({
  name: `an edge with a certificate and no key says so and ends with 2${skipped}`,
  ignore,
  async fn() {
    const args = ["run", "--quiet", "-A", "edge/main.ts", "--tls-cert", own!.cert, "--upstream"];
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [...args, `http://127.0.0.1:${freePort()}`],
      cwd: new URL("..", import.meta.url),
    }).output();
    assert.equal(code, 2);
    assert.match(
      new TextDecoder().decode(stderr),
      /^Cannot use --tls-cert: need --tls-key with it/,
    );
  },
});
