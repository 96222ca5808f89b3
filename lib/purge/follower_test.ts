import assert from "node:assert/strict";
import { PurgeFollower } from "./follower.ts";
import type { PurgeFollowerOptions } from "./follower_types.ts";
import { controlLog } from "./log_connection.ts";
import { PurgeIndex } from "./purge_index.ts";
import {
  head,
  noSuchPlace,
  type Script,
  type ScriptedLog,
  scriptedLog,
  stream,
  urlPurge,
} from "./scripted_log.ts";

/** A follower with what it told, on a log and a folder of its own. */
class Rig {
  readonly told: string[] = [];
  readonly silences: boolean[] = [];
  index = new PurgeIndex();
  follower: PurgeFollower;

  constructor(
    readonly log: ScriptedLog,
    readonly dir: string,
    readonly options: Partial<PurgeFollowerOptions> & { readonly token?: string },
  ) {
    this.follower = this.make();
  }

  make(): PurgeFollower {
    return new PurgeFollower({
      source: controlLog({ url: this.log.url, token: this.options.token }),
      file: `${this.dir}/purges`,
      index: this.index,
      retryMs: { first: 5, last: 20 },
      onState: (state) => this.told.push(state),
      onFault: (fault) => this.told.push(`fault ${fault}`),
      onSilence: (silent) => void this.silences.push(silent),
      onGap: (reason) => void this.told.push(`gap ${reason}`),
      ...this.options,
    });
  }

  /** Stops the follower and starts another, as after a restart of the node. */
  async restart(): Promise<void> {
    await this.follower.stop();
    this.index = new PurgeIndex();
    this.follower = this.make();
    await this.follower.start();
  }

  verdict(key: string, fillSeq = 0): string {
    return this.index.verdict({ key, tags: [], fillSeq });
  }

  async told_(word: string): Promise<void> {
    await until(`told ${word}, not only ${this.told}`, () => this.told.includes(word));
  }
}

async function until(what: string, holds: () => boolean): Promise<void> {
  const deadlineMs = performance.now() + 30_000;
  while (!holds()) {
    assert.ok(performance.now() < deadlineMs, `timed out: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** Runs a test on a scripted log; the follower is started and stopped around it. */
function follows(
  name: string,
  scripts: readonly Script[],
  work: (rig: Rig) => Promise<void>,
  options: Partial<PurgeFollowerOptions> & {
    token?: string;
    prepare?: (file: string) => Promise<void>;
  } = {},
): void {
  Deno.test(name, async () => {
    const { prepare, ...others } = options;
    const dir = await Deno.makeTempDir();
    const log = scriptedLog(...scripts);
    const rig = new Rig(log, dir, others);
    try {
      await prepare?.(`${dir}/purges`);
      await rig.follower.start();
      await work(rig);
    } finally {
      await rig.follower.stop();
      await log.close();
      await Deno.remove(dir, { recursive: true });
    }
  });
}

follows("a new node reads the log from its start and has then caught up", [
  stream(head(2), urlPurge(1), urlPurge(2)),
], async ({ log, follower, index, told }) => {
  assert.equal(await follower.waitCaughtUp(30_000), true);
  assert.deepEqual(told, ["catching_up", "following"]);
  assert.equal(index.appliedSeq, 2);
  assert.equal(log.connections[0].after, "0");
  assert.equal(log.connections[0].log, null);
  assert.ok(follower.lastHeardMs > 0);
});

follows("it has caught up only when it is where the log ended at the connect", [
  stream(head(3), urlPurge(1), urlPurge(2)),
], async ({ log, follower, told }) => {
  assert.equal(await follower.waitFor(2, 30_000), true);
  assert.deepEqual([follower.caughtUp, await follower.waitCaughtUp(20)], [false, false]);
  log.connections[0].send(urlPurge(3));
  assert.equal(await follower.waitCaughtUp(30_000), true);
  assert.deepEqual(told, ["catching_up", "following"]);
});

follows("it goes on where it was after a restart, with what it knew before it hears anything", [
  stream(head(2), urlPurge(1), urlPurge(2)),
], async (rig) => {
  await rig.follower.waitFor(2, 30_000);
  await rig.restart();
  assert.equal(rig.index.appliedSeq, 2);
  assert.equal(rig.verdict("/1"), "gone");
  const { after, log } = await rig.log.connection(1);
  assert.deepEqual({ after, log }, { after: "2", log: "log-1" });
});

follows("it comes back by itself after the stream ended or was refused", [
  (connection) => {
    connection.send(head(0));
    connection.end();
  },
  stream(head(1), urlPurge(1)),
  () => new Response("busy", { status: 500 }),
  stream(head(2), urlPurge(2)),
], async (rig) => {
  await rig.follower.waitFor(1, 30_000);
  rig.log.connections[1].end();
  assert.equal(await rig.follower.waitFor(2, 30_000), true);
  assert.deepEqual(rig.log.connections.map(({ after }) => after), ["0", "0", "1", "1"]);
  const faults = rig.told.filter((word) => word.startsWith("fault"));
  assert.deepEqual([faults[0], faults.at(-1)], ["fault ended", "fault bad_answer"]);
  assert.ok(rig.told.includes("away"));
});

follows("a stream that falls silent is given up, heartbeats keep it", [
  (connection) => {
    connection.send(head(0));
    const timer = setInterval(() => connection.send(""), 50);
    setTimeout(() => clearInterval(timer), 1200);
  },
  stream(head(1), urlPurge(1)),
], async (rig) => {
  const startedMs = performance.now();
  assert.equal(await rig.follower.waitFor(1, 30_000), true);
  assert.ok(performance.now() - startedMs > 1000);
  assert.ok(rig.told.includes("fault stalled"));
}, { stallMs: 600 });

follows("duplicates change nothing, an entry too early is refused and asked for again", [
  stream(head(2), urlPurge(1), urlPurge(1), urlPurge(2), urlPurge(1), urlPurge(4)),
  stream(head(4), urlPurge(3), urlPurge(4)),
], async (rig) => {
  assert.equal(await rig.follower.waitFor(4, 30_000), true);
  assert.equal(rig.log.connections[1].after, "2");
  assert.ok(rig.told.includes("fault gap"));
  assert.equal(rig.told.some((word) => word.startsWith("gap")), false, "nothing was given up");
  assert.deepEqual([rig.verdict("/3", 2), rig.verdict("/x")], ["gone", "valid"]);
});

for (const line of ["not json", "7", '{"seq":1}', "x".repeat(70_000)]) {
  follows(`a line ${line.slice(0, 10)} ends the connection, what came before it counts`, [
    (connection) => connection.send(head(2), urlPurge(1), line, urlPurge(2)),
    stream(head(2), urlPurge(2)),
  ], async (rig) => {
    assert.equal(await rig.follower.waitFor(2, 30_000), true);
    assert.ok(rig.told.includes("fault bad_line"));
    // A line too long spoils the piece of bytes that it came in, so what is before it may count.
    const { after } = rig.log.connections[1];
    assert.ok(after === "1" || (after === "0" && line.length > 65_536));
  });
}

for (const first of ["", "{}", '{"logId":"a","firstSeq":9,"lastSeq":3}', "[]"]) {
  follows(`a stream that starts with ${first || "a blank line"} is no log`, [
    (connection) => connection.send(first, urlPurge(1)),
    stream(head(1), urlPurge(1)),
  ], async (rig) => {
    assert.equal(await rig.follower.waitFor(1, 30_000), true);
    assert.ok(rig.told.includes("fault bad_answer"));
  });
}

follows("the token goes along, and its refusal has a word of its own", [
  () => new Response("no", { status: 401 }),
], async (rig) => {
  await rig.told_("fault unauthorized");
  assert.equal(rig.log.connections[0].authorization, "Bearer 0123456789abcdef");
}, { token: "0123456789abcdef" });

follows("a place below retention gives up everything older, then goes on", [
  stream(head(1), urlPurge(1)),
  () => noSuchPlace(head(60, { firstSeq: 51 })),
  stream(
    head(60, { firstSeq: 51 }),
    ...Array.from({ length: 10 }, (_, i) => urlPurge(51 + i)),
  ),
], async (rig) => {
  await rig.follower.waitFor(1, 30_000);
  rig.log.connections[0].end();
  assert.equal(await rig.follower.waitFor(60, 30_000), true);
  assert.equal(rig.log.connections[2].after, "50");
  assert.ok(rig.told.includes("gap retention"));
  assert.deepEqual([rig.verdict("/x", 49), rig.verdict("/x", 50)], ["gone", "valid"]);
  await rig.restart();
  assert.deepEqual([rig.verdict("/x", 49), rig.verdict("/x", 50)], ["gone", "valid"]);
});

follows("another log gives up everything older, even when its head comes with 200", [
  stream(head(3), urlPurge(1), urlPurge(2), urlPurge(3)),
  stream(head(9, { logId: "log-2" }), urlPurge(4)),
  stream(head(9, { logId: "log-2" })),
], async (rig) => {
  await rig.follower.waitFor(3, 30_000);
  rig.log.connections[0].end();
  await rig.told_("gap log_changed");
  const { after, log } = await rig.log.connection(2);
  assert.deepEqual({ after, log }, { after: "9", log: "log-2" });
  assert.deepEqual([rig.verdict("/x", 8), rig.verdict("/x", 9)], ["gone", "valid"]);
  assert.equal(rig.index.distrusting, false);
});

const sweeping = Promise.withResolvers<void>();
const swept = Promise.withResolvers<void>();

follows("who is killed while it sweeps for a gap meets the gap again", [
  stream(head(3), urlPurge(1), urlPurge(2), urlPurge(3)),
  stream(head(9, { logId: "log-2" })),
  stream(head(9, { logId: "log-2" })),
], async (rig) => {
  await rig.follower.waitFor(3, 30_000);
  rig.log.connections[0].end();
  await sweeping.promise;
  const state = () => Deno.readTextFile(`${rig.dir}/purges`);
  assert.match(await state(), /"logId":"log-1"/);
  assert.equal(rig.verdict("/x", 9), "gone");
  swept.resolve();
  await rig.log.connection(2);
  assert.match(await state(), /"logId":"log-2"/);
}, {
  onGap: () => {
    sweeping.resolve();
    return swept.promise;
  },
});

follows("a log that lost records makes everything gone until it is past our number", [
  stream(head(3), urlPurge(1), urlPurge(2), urlPurge(3)),
  stream(head(1), urlPurge(1)),
  stream(head(2)),
  () => noSuchPlace(head(4)),
  stream(head(4)),
], async (rig) => {
  await rig.follower.waitFor(3, 30_000);
  rig.log.connections[0].end();
  await rig.log.connection(4);
  await until("trusts again", () => !rig.index.distrusting);
  assert.equal(rig.told.filter((word) => word === "gap log_behind").length, 1);
  assert.ok(rig.told.includes("gap log_changed"));
  assert.deepEqual(rig.log.connections.slice(1).map(({ log }) => log), [
    "log-1",
    "none",
    "none",
    "log-1",
  ]);
  assert.deepEqual([rig.verdict("/x", 3), rig.verdict("/x", 4)], ["gone", "valid"]);
});

follows("while the log is behind, everything is gone", [
  stream(head(3), urlPurge(1), urlPurge(2), urlPurge(3)),
  stream(head(1)),
], async (rig) => {
  await rig.follower.waitFor(3, 30_000);
  rig.log.connections[0].end();
  await rig.told_("log_behind");
  assert.equal(rig.verdict("/x", 3), "gone");
  assert.equal(rig.follower.state, "log_behind");
});

const damage = (file: string) => Deno.writeTextFile(file, "damaged\n");

follows("a damaged state: all is gone until the store was emptied; then it may be filled", [
  () => new Response("away", { status: 503 }),
], async (rig) => {
  assert.equal(rig.told[0], "gap corrupt_state");
  assert.equal(rig.index.distrusting, false);
  await rig.told_("away");
}, {
  prepare: damage,
});

follows("a damaged state on a node that cannot empty its store: all is gone until control speaks", [
  () => new Response("away", { status: 503 }),
  stream(head(7)),
  stream(head(7)),
], async (rig) => {
  assert.equal(rig.verdict("/x", 99), "gone");
  await rig.told_("following");
  assert.equal(rig.index.appliedSeq, 7);
  assert.deepEqual([rig.verdict("/x", 6), rig.verdict("/x", 7)], ["gone", "valid"]);
  await rig.restart();
  assert.equal(rig.index.appliedSeq, 7, "the state is whole again");
}, { prepare: damage, onGap: undefined });

follows("a hole in the log is kept on disk like a record", [
  stream(head(9), urlPurge(1), { kind: "skipped", fromSeq: 2, seq: 8 }, urlPurge(9)),
], async (rig) => {
  assert.equal(await rig.follower.waitFor(9, 30_000), true);
  await rig.restart();
  assert.equal(rig.index.appliedSeq, 9);
  assert.equal(rig.verdict("/x"), "valid");
});

Deno.test("onApplied tells entries once, in order, after they count", async () => {
  const dir = await Deno.makeTempDir();
  const log = scriptedLog(stream(head(2), urlPurge(1), urlPurge(2), urlPurge(2)));
  const index = new PurgeIndex();
  const told: [number, number][] = [];
  const follower = new PurgeFollower({
    source: controlLog({ url: log.url }),
    file: `${dir}/purges`,
    index,
    onApplied: (entries) => entries.forEach(({ seq }) => told.push([seq, index.appliedSeq])),
  });
  await follower.start();
  assert.equal(await follower.waitFor(2, 30_000), true);
  log.connections[0].send(urlPurge(3));
  assert.equal(await follower.waitFor(3, 30_000), true);
  assert.deepEqual(told.map(([seq]) => seq), [1, 2, 3]);
  assert.ok(told.every(([seq, applied]) => applied >= seq));
  await follower.stop();
  await log.close();
  await Deno.remove(dir, { recursive: true });
});

Deno.test("onGap is waited for while everything is gone", async () => {
  const dir = await Deno.makeTempDir();
  const log = scriptedLog(() => noSuchPlace(head(5, { firstSeq: 6 })), stream(head(5)));
  const index = new PurgeIndex();
  const subject = { key: "/x", tags: [], fillSeq: 5 };
  const verdicts: string[] = [];
  const onGap = async () => {
    verdicts.push(index.verdict(subject));
    await new Promise((resolve) => setTimeout(resolve, 20));
    verdicts.push(index.verdict(subject));
  };
  const follower = new PurgeFollower({
    source: controlLog({ url: log.url }),
    file: `${dir}/purges`,
    index,
    onGap,
  });
  await follower.start();
  assert.equal(await follower.waitCaughtUp(30_000), true);
  assert.deepEqual([...verdicts, index.verdict(subject)], ["gone", "gone", "valid"]);
  await follower.stop();
  await log.close();
  await Deno.remove(dir, { recursive: true });
});

Deno.test("a disk that cannot be written is told; purges are honoured all the same", async () => {
  const log = scriptedLog(stream(head(2), urlPurge(1), urlPurge(2)));
  const index = new PurgeIndex();
  const faults: string[] = [];
  const follower = new PurgeFollower({
    source: controlLog({ url: log.url }),
    file: "/nonexistent/folder/purges",
    index,
    onFault: (fault) => faults.push(fault),
  });
  assert.equal(await follower.start(), "new");
  assert.equal(await follower.waitFor(2, 30_000), true);
  assert.ok(faults.length > 0 && faults.every((fault) => fault === "state_write"));
  await follower.stop();
  await log.close();
});

Deno.test("waitFor(): at once, in time, too late, and false when it stops", async () => {
  const dir = await Deno.makeTempDir();
  const log = scriptedLog(stream(head(1), urlPurge(1)));
  const index = new PurgeIndex();
  const follower = new PurgeFollower({
    source: controlLog({ url: log.url }),
    file: `${dir}/purges`,
    index,
  });
  await follower.start();
  assert.equal(await follower.waitFor(0, 0), true);
  assert.equal(await follower.waitFor(1, 30_000), true);
  assert.equal(await follower.waitFor(2, 30), false);
  const waits = [
    follower.waitFor(2, 30_000),
    follower.waitFor(3, 30_000),
    follower.waitFor(2, 30_000),
  ];
  log.connections[0].send(urlPurge(2));
  assert.equal(await waits[0], true);
  assert.equal(await waits[2], true);
  await follower.stop();
  assert.equal(await waits[1], false);
  assert.equal(await follower.waitFor(9, 5000), false);
  await log.close();
  await Deno.remove(dir, { recursive: true });
});

Deno.test("waitFor() wakes a follower that sleeps between two tries", async () => {
  const dir = await Deno.makeTempDir();
  const log = scriptedLog(
    () => new Response("away", { status: 503 }),
    stream(head(1), urlPurge(1)),
  );
  const index = new PurgeIndex();
  const source = controlLog({ url: log.url });
  const options = { source, file: `${dir}/purges`, index, random: () => 0.99 };
  // Once it was refused it would sleep for four seconds.
  const follower = new PurgeFollower({ ...options, retryMs: { first: 4000, last: 60_000 } });
  await follower.start();
  await until("sleeps", () => follower.state === "away");
  assert.equal(await follower.waitFor(1, 30_000), true);
  await follower.stop();
  await log.close();
  await Deno.remove(dir, { recursive: true });
});

Deno.test("control away from the start: it runs, answers, and stops at once", async () => {
  const dir = await Deno.makeTempDir();
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const index = new PurgeIndex();
  const url = `http://127.0.0.1:${port}`;
  const faults: string[] = [];
  const onFault = (fault: string) => void faults.push(fault);
  const retryMs = { first: 1, last: 5 };
  const follower = new PurgeFollower({
    source: controlLog({ url }),
    file: `${dir}/purges`,
    index,
    onFault,
    retryMs,
  });
  assert.equal(await follower.start(), "new");
  assert.equal(await follower.waitCaughtUp(50), false);
  assert.equal(follower.state, "away");
  assert.ok(faults.length >= 2 && faults.every((fault) => fault === "refused"));
  assert.equal(index.verdict({ key: "/a", tags: [], fillSeq: 0 }), "valid");
  await follower.stop();
  assert.equal(follower.state, "stopped");
  await Deno.remove(dir, { recursive: true });
});

follows("a log that is silent for too long: all is gone until its end was reached again", [
  stream(head(1), urlPurge(1)),
  (connection) => connection.send(head(3), urlPurge(2)),
], async (rig) => {
  assert.equal(await rig.follower.waitFor(1, 30_000), true);
  assert.equal(rig.verdict("/x", 1), "valid");
  await until("silent", () => rig.index.distrusting);
  assert.deepEqual([rig.verdict("/x", 1), rig.silences], ["gone", [true]]);
  rig.log.connections[0].end();
  const again = await rig.log.connection(1);
  assert.equal(await rig.follower.waitFor(2, 30_000), true);
  assert.equal(rig.verdict("/x", 2), "gone", "heard, but not all of it");
  again.send(urlPurge(3));
  await until("trusted", () => !rig.index.distrusting);
  assert.deepEqual([rig.verdict("/x", 1), rig.verdict("/3", 1)], ["valid", "gone"]);
  assert.deepEqual(rig.silences, [true, false]);
}, { silenceMs: 150 });

follows("signs of life are no silence", [
  stream(head(1), urlPurge(1)),
], async (rig) => {
  assert.equal(await rig.follower.waitFor(1, 30_000), true);
  for (let i = 0; i < 24; i++) {
    rig.log.connections[0].send("");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.equal(rig.index.distrusting, false);
}, { silenceMs: 800 });
