import assert from "node:assert/strict";
import { FluteSender } from "#flute";
import { openSender } from "#multicast";
import { segment, sessionDocument, tsis, turn } from "./home_rig.ts";

const group = "239.255.60.1";

/** A free port of the loopback. */
function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  return port;
}

/** A set-top box in its own process. */
class Box {
  readonly url: string;
  readonly adminUrl: string;
  readonly #child: Deno.ChildProcess;
  readonly output: Promise<Deno.CommandOutput>;

  constructor(args: readonly string[]) {
    const [listen, admin] = [freePort(), freePort()];
    this.url = `http://127.0.0.1:${listen}`;
    this.adminUrl = `http://127.0.0.1:${admin}`;
    this.#child = new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "--quiet", "--no-prompt", "--allow-net", "--allow-env", "--allow-read"],
        ...["--allow-write", "--allow-ffi", "--allow-sys=networkInterfaces,osRelease"],
        new URL("main.ts", import.meta.url).pathname,
        ...["--listen", `127.0.0.1:${listen}`, "--admin", `127.0.0.1:${admin}`],
        ...["--interface", "127.0.0.1", "--mdns", "off", "--drain-time", "2s", ...args],
      ],
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.output = this.#child.output();
  }

  /** Waits until the box says that it can play. */
  async ready(): Promise<void> {
    for (let i = 0; i < 400; i++) {
      const answer = await fetch(`${this.adminUrl}/readyz`).catch(() => undefined);
      await answer?.body?.cancel();
      if (answer?.ok) return;
      await turn(25);
    }
    this.kill("SIGKILL");
    const { stderr } = await this.output;
    throw new Error(`Cannot test: need a box: received ${new TextDecoder().decode(stderr)}`);
  }

  async bytes(path: string): Promise<Uint8Array | number> {
    const response = await fetch(this.url + path);
    const bytes = new Uint8Array(await response.arrayBuffer());
    return response.ok ? bytes : response.status;
  }

  async complete(): Promise<number> {
    return (await (await fetch(`${this.url}/api/status`)).json()).objects.complete;
  }

  kill(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }
}

Deno.test("a box that is killed keeps what was whole, and ends in order when told to", async () => {
  const dir = await Deno.makeTempDir();
  const udp = freePort();
  await Deno.writeFile(`${dir}/session.xml`, sessionDocument(udp));
  const uplink = await openSender({ to: { host: group, port: udp }, interface: "127.0.0.1" });
  const sender = new FluteSender({ tsi: tsis.live });
  const args = [
    "--session",
    `${dir}/session.xml`,
    "--cache",
    `${dir}/cache`,
    "--cache-size",
    "64MiB",
  ];
  let box = new Box(args);
  try {
    await box.ready();
    for (let n = 1; n <= 3; n++) {
      const toi = sender.add(segment(n), Date.now());
      const packets = [...sender.fdtPackets(Date.now()), ...sender.objectPackets(toi)];
      // Of the third only a part comes before the end.
      for (const packet of n < 3 ? packets : packets.slice(0, 20)) await uplink.send(packet);
      await turn(20);
    }
    for (let i = 0; i < 200 && await box.complete() < 2; i++) await turn(10);
    box.kill("SIGKILL");
    await box.output;

    box = new Box(args);
    await box.ready();
    assert.deepEqual(await box.bytes("/one/seg-1.ts"), segment(1).body);
    assert.deepEqual(await box.bytes("/one/seg-2.ts"), segment(2).body);
    assert.equal(await box.bytes("/one/seg-3.ts"), 404);
    const events = await fetch(`${box.url}/api/events`);
    box.kill("SIGTERM");
    await events.text();
    const { code, stderr } = await box.output;
    assert.equal(code, 0, new TextDecoder().decode(stderr));
  } finally {
    uplink.close();
    try {
      box.kill("SIGKILL");
    } catch {
      // it has ended
    }
    await Deno.remove(dir, { recursive: true });
  }
});

// One sentence and exit code 2 for what cannot work.
const rows = [
  { args: [], error: /Cannot use --session: need a gateway configuration/ },
  {
    args: ["--session", "/nonexistent.xml"],
    error: /Cannot use --session: need .* at \/nonexistent\.xml/,
  },
  {
    args: ["--session", "deno.json"],
    error: /Cannot use --session: need a gateway configuration: received/,
  },
  {
    args: ["--session", "x", "--cache", "/dev/null/x"],
    error: /Cannot use --cache \/dev\/null\/x/,
  },
  { args: ["--sesion", "x"], error: /did you mean --session\?/ },
];

for (const { args, error } of rows) {
  Deno.test(`bad input ends in one sentence and 2: ${args.join(" ") || "nothing"}`, async () => {
    const dir = await Deno.makeTempDir();
    try {
      const cache = args.includes("--cache") ? [] : ["--cache", dir];
      const { code, stderr } = await new Box([...cache, ...args]).output;
      const text = new TextDecoder().decode(stderr).replaceAll('\\"', '"');
      assert.match(text, error);
      assert.equal(code, 2, text);
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  });
}
