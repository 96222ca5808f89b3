import assert from "node:assert/strict";
import { keptSession, sessionLoader } from "./session_file.ts";

const document = new TextEncoder().encode("<x/>");

Deno.test("sessionLoader() reads a file, and says in one sentence why not", async () => {
  const file = await Deno.makeTempFile();
  try {
    await Deno.writeFile(file, document);
    assert.deepEqual(await sessionLoader(file)(), document);
  } finally {
    await Deno.remove(file);
  }
  await assert.rejects(
    sessionLoader(file)(),
    /^Error: need a gateway configuration at .*: received /,
  );
});

Deno.test("sessionLoader() reads a URL, bounded", async () => {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/absent") return new Response("none", { status: 404 });
    return new Response(pathname === "/large" ? new Uint8Array(5 * 2 ** 20) : document);
  });
  const url = `http://127.0.0.1:${server.addr.port}`;
  try {
    assert.deepEqual(await sessionLoader(`${url}/session.xml`)(), document);
    await assert.rejects(sessionLoader(`${url}/absent`)(), /received status 404/);
    await assert.rejects(sessionLoader(`${url}/large`)(), /received more than/);
  } finally {
    await server.shutdown();
  }
  await assert.rejects(sessionLoader(url)(), /need a gateway configuration at/);
});

Deno.test("keptSession() keeps a document whole", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const kept = keptSession(`${dir}/session.xml`);
    assert.equal(await kept.read(), undefined);
    await kept.write(document);
    await kept.write(document);
    assert.deepEqual(await kept.read(), document);
    assert.deepEqual([...Deno.readDirSync(dir)].map(({ name }) => name), ["session.xml"]);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
