import assert from "node:assert/strict";
import { SlidingOrigin } from "./origin_fixture.ts";

const root = new URL("..", import.meta.url);

/** A program in its own process. */
class Program {
  readonly #child: Deno.ChildProcess;
  readonly output: Promise<Deno.CommandOutput>;

  constructor(main: string, args: readonly string[]) {
    this.#child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "--no-prompt", "-A", new URL(main, root).pathname, ...args],
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.output = this.#child.output();
  }

  async stop(): Promise<string> {
    this.#child.kill("SIGTERM");
    const { code, stderr } = await this.output;
    const log = new TextDecoder().decode(stderr);
    assert.equal(code, 0, log);
    return log;
  }
}

function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  return port;
}

/** Asks until the answer is whole and right. */
async function until<T>(what: string, ask: () => Promise<T | undefined>): Promise<T> {
  for (const lastMs = performance.now() + 30_000; performance.now() < lastMs;) {
    const answer = await ask().catch(() => undefined);
    if (answer !== undefined) return answer;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`Cannot go on: need ${what}: received none`);
}

async function body(url: string): Promise<Uint8Array | undefined> {
  const response = await fetch(url);
  const bytes = new Uint8Array(await response.arrayBuffer());
  return response.ok ? bytes : undefined;
}

Deno.test("a box that knows only the announcement group plays what the headend sends", async () => {
  const origin = new SlidingOrigin();
  const cache = await Deno.makeTempDir();
  const [media, announcement, listen] = [freePort(), freePort(), freePort()];
  const url = `http://127.0.0.1:${listen}`;
  const group = `239.255.40.96:${announcement}`;
  const headend = new Program("satellite/main.ts", [
    ...["--origin", origin.url.href, "--admin", "127.0.0.1:0", "--rate", "20Mbit"],
    ...["--group", `239.255.40.95:${media}`, "--file", "/files/guide.xml"],
    ...["--nip", new URL("headend/nip.json", import.meta.url).pathname, "--announce", group],
  ]);
  const box = new Program("stb/main.ts", [
    ...["--nip", group, "--interface", "127.0.0.1", "--cache", cache, "--cache-size", "64MiB"],
    ...["--listen", `127.0.0.1:${listen}`, "--admin", "127.0.0.1:0", "--mdns", "off"],
  ]);
  try {
    const guide = await until("a file", () => body(`${url}/files/guide.xml`));
    assert.deepEqual(guide, origin.bytes("/files/guide.xml"));
    // What was on the air before it tuned in is gone: nobody can be asked.
    const newest = ++origin.newest;
    const bytes = await until("a segment", () => body(`${url}/one/seg-${newest}.ts`));
    assert.deepEqual(bytes, origin.bytes(`/one/seg-${newest}.ts`));

    const { nip, channels, bytes: roads } = await (await fetch(`${url}/api/status`)).json();
    assert.deepEqual(nip, {
      source: "127.0.0.1",
      network: { id: 1001, name: "Downlink", provider: "Downlink", orbitalPositionDegrees: 13 },
      carrier: {
        id: 1,
        linkId: 1,
        serviceId: 5001,
        provider: "Downlink",
        frequencyKhz: 11_727_500,
        symbolRateKs: 27_500,
      },
    });
    assert.equal(channels[0].name, "announcement");
    assert.ok(channels.some(({ service }: { service?: string }) => service !== undefined));
    assert.deepEqual([roads.repair, roads.internet], [0, 0]);
  } finally {
    await box.stop();
    await headend.stop();
    await origin.close();
    await Deno.remove(cache, { recursive: true });
  }
});
