import assert from "node:assert/strict";
import { ControlLink } from "./control_link.ts";
import { nothingDeclared } from "./declared.ts";
import type { ControlLinkOptions } from "./control_link_types.ts";
import type { NodeRecord, TopologySnapshot } from "./snapshot.ts";

const node: NodeRecord = {
  id: "edge-1",
  role: "edge",
  url: "http://127.0.0.1:8080",
  adminUrl: "http://127.0.0.1:9080",
  version: "0.1.0",
};

function snapshotOf(number: number, controlId = "control-1"): TopologySnapshot {
  const empty = { ...nothingDeclared, shields: [], edges: [], headends: [] };
  return { ...empty, number, controlId, issuedMs: 1 };
}

/** A control that a test holds in its hands. */
class FakeControl {
  readonly asked: { line: string; body: Record<string, unknown>; authorization: string | null }[] =
    [];
  topology: unknown = snapshotOf(1);
  beat: unknown = { controlId: "control-1", snapshot: 1, purgeSeq: 0 };
  status = 200;
  known = false;
  readonly #server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    (request) => this.#answer(request),
  );

  get url(): string {
    return `http://127.0.0.1:${this.#server.addr.port}`;
  }

  count(line: string): number {
    return this.asked.filter((one) => one.line === line).length;
  }

  async #answer(request: Request): Promise<Response> {
    const line = `${request.method} ${new URL(request.url).pathname}`;
    const text = await request.text();
    const authorization = request.headers.get("authorization");
    this.asked.push({ line, body: text === "" ? {} : JSON.parse(text), authorization });
    if (this.status !== 200) return new Response("no", { status: this.status });
    if (line === "GET /topology") return Response.json(this.topology);
    if (line === "DELETE /nodes/edge-1") return new Response(null, { status: 204 });
    if (line === "POST /nodes") this.known = true;
    if (!this.known) return Response.json({ error: "unknown" }, { status: 404 });
    return Response.json(this.beat);
  }

  close(): Promise<void> {
    return this.#server.shutdown();
  }
}

async function until(what: string, holds: () => boolean): Promise<void> {
  const deadlineMs = performance.now() + 30_000;
  while (!holds()) {
    assert.ok(performance.now() < deadlineMs, `timed out: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** Runs a test with a control and a link on a folder of its own. */
function links(
  name: string,
  work: (rig: {
    control: FakeControl;
    link: ControlLink;
    told: string[];
    dir: string;
    make: (more?: Partial<ControlLinkOptions>) => ControlLink;
  }) => Promise<void>,
  options: Partial<ControlLinkOptions> = {},
): void {
  Deno.test(name, async () => {
    const dir = await Deno.makeTempDir();
    const control = new FakeControl();
    const told: string[] = [];
    const make = (more: Partial<ControlLinkOptions> = {}) =>
      new ControlLink({
        url: control.url,
        node,
        file: `${dir}/topology`,
        appliedSeq: () => 7,
        heartbeatMs: 30,
        timeoutMs: 500,
        onState: (state) => told.push(state),
        onFault: (fault) => told.push(`fault ${fault}`),
        onSnapshot: ({ number }) => told.push(`snapshot ${number}`),
        ...options,
        ...more,
      });
    const link = make();
    try {
      await link.start();
      await work({ control, link, told, dir, make });
    } finally {
      await link.stop();
      await control.close();
      await Deno.remove(dir, { recursive: true });
    }
  });
}

links("a node registers, takes the topology, heartbeats, and says goodbye", async (rig) => {
  const { control, link, told } = rig;
  await until("heartbeats", () => control.count("POST /nodes/edge-1/heartbeat") >= 2);
  assert.deepEqual(told, ["registered", "snapshot 1"]);
  assert.equal(control.count("GET /topology"), 1);
  assert.equal(control.asked[0].line, "POST /nodes");
  assert.deepEqual(control.asked[0].body, {
    ...node,
    appliedSeq: 7,
    logId: "log-1",
    snapshot: 0,
  });
  assert.deepEqual(control.asked.at(-1)?.body, {
    appliedSeq: 7,
    logId: "log-1",
    snapshot: 1,
    controlId: "control-1",
  });
  assert.equal(control.asked[0].authorization, "Bearer 0123456789abcdef");
  await link.stop();
  assert.equal(control.asked.at(-1)?.line, "DELETE /nodes/edge-1");
  assert.equal(link.state, "stopped");
}, { token: "0123456789abcdef", logId: () => "log-1" });

links("a newer snapshot is fetched once and kept on disk for the next start", async (rig) => {
  const { control, link, told, make } = rig;
  await until("first", () => link.snapshot?.number === 1);
  control.topology = snapshotOf(2);
  control.beat = { controlId: "control-1", snapshot: 2, purgeSeq: 0 };
  await until("second", () => link.snapshot?.number === 2);
  assert.equal(control.count("GET /topology"), 2);
  await link.stop();
  control.status = 503;
  const again = make();
  await again.start();
  assert.equal(again.snapshot?.number, 2, "control away: it starts from the file");
  await until("away", () => again.state === "away");
  await again.stop();
  assert.equal(told.filter((word) => word === "snapshot 2").length, 2);
});

links("another control with the same number is another topology", async ({ control, link }) => {
  await until("first", () => link.snapshot?.number === 1);
  control.topology = snapshotOf(1, "control-2");
  control.beat = { controlId: "control-2", snapshot: 1, purgeSeq: 0 };
  await until("second", () => link.snapshot?.controlId === "control-2");
});

links("a snapshot that is none is refused whole, the old one stays", async (rig) => {
  const { control, link, told } = rig;
  await until("first", () => link.snapshot?.number === 1);
  control.topology = { ...snapshotOf(2), shields: [{ id: "a b" }] };
  control.beat = { controlId: "control-1", snapshot: 2, purgeSeq: 0 };
  await until("fault", () => told.includes("fault bad_answer"));
  assert.equal(link.snapshot?.number, 1);
});

links("a control that forgot the node gets it registered again", async ({ control }) => {
  await until("heartbeat", () => control.count("POST /nodes/edge-1/heartbeat") >= 1);
  control.known = false;
  await until("again", () => control.count("POST /nodes") === 2);
});

links("a refusal has a word of its own, and it is tried again", async ({ control, link }) => {
  control.status = 401;
  await until("refused", () => link.state === "refused");
  control.status = 200;
  await until("registered", () => link.state === "registered");
});

links("answers that are none do no harm", async ({ control, link, told }) => {
  for (const beat of [null, 7, "x", {}, { controlId: "a", snapshot: -1, purgeSeq: 0 }]) {
    control.beat = beat;
    told.length = 0;
    await until("fault", () => told.includes("fault bad_answer"));
  }
  control.beat = { controlId: "control-1", snapshot: 1, purgeSeq: 0 };
  await until("registered", () => link.state === "registered");
});

links("a report goes at once; many reports make few heartbeats", async ({ control, link }) => {
  await until("registered", () => link.state === "registered");
  const before = control.asked.length;
  for (let i = 0; i < 200; i++) {
    link.reportApplied();
    if (i % 20 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await until("reported", () => control.asked.length > before);
  await new Promise((resolve) => setTimeout(resolve, 60));
  // One at most for each turn that others got, one for what came last, and no more.
  assert.ok(control.asked.length - before <= 12, `${control.asked.length - before} heartbeats`);
}, { heartbeatMs: 60_000 });

Deno.test("control away: start does not wait, reports do no harm, stop is quick", async () => {
  const dir = await Deno.makeTempDir();
  await Deno.writeTextFile(`${dir}/topology`, "damaged");
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 }); // accepts, never answers
  const told: string[] = [];
  const link = new ControlLink({
    url: `http://127.0.0.1:${listener.addr.port}`,
    node,
    file: `${dir}/topology`,
    appliedSeq: () => 0,
    heartbeatMs: 10,
    timeoutMs: 30,
    onFault: (fault) => told.push(fault),
  });
  const lateMs = performance.now() + 10_000;
  await link.start();
  assert.deepEqual(told, ["snapshot_corrupt"]);
  assert.equal(link.snapshot, undefined);
  for (let i = 0; i < 100; i++) link.reportApplied();
  await until("away", () => told.filter((fault) => fault === "away").length >= 2);
  await link.stop();
  assert.ok(performance.now() < lateMs);
  listener.close();
  await Deno.remove(dir, { recursive: true });
});

links(
  "a folder that cannot be written: the topology holds all the same",
  async ({ link, told }) => {
    await until("snapshot", () => link.snapshot?.number === 1);
    assert.ok(told.includes("fault snapshot_write"));
  },
  { file: "/nonexistent/folder/topology" },
);
