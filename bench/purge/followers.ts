/**
 * Many nodes' followers in one process: each with its own connection, state file and heartbeats.
 * Prints a line for each batch that a follower has applied, summed up for all.
 *
 * @module
 */

import { kafkaLog } from "#kafka";
import { controlLog, PurgeFollower, PurgeIndex } from "#purge";
import { ControlLink } from "#topology";

const [control, brokers, dir, first, count] = Deno.args;
const encoder = new TextEncoder();
const nowMs = () => performance.timeOrigin + performance.now();

/** When each number was applied, by all followers of this process. */
const applied = new Map<number, number[]>();

function note(seq: number): void {
  const times = applied.get(seq) ?? [];
  applied.set(seq, times);
  times.push(nowMs());
  if (times.length < Number(count)) return;
  applied.delete(seq);
  Deno.stdout.writeSync(encoder.encode(`${JSON.stringify({ seq, times })}\n`));
}

async function start(id: string): Promise<void> {
  const index = new PurgeIndex();
  const kafka = { brokers: brokers.split(","), topic: "cdn-purge", clientId: id };
  const node = {
    id,
    role: "edge",
    url: `http://127.0.0.1:1/${id}`,
    adminUrl: "http://127.0.0.1:1",
  };
  const link = new ControlLink({
    url: control,
    token: undefined,
    node: { ...node, role: "edge", version: "bench" },
    file: `${dir}/${id}.topology`,
    appliedSeq: () => index.appliedSeq,
    logId: () => follower.logId,
    heartbeatMs: 5000,
  });
  const follower = new PurgeFollower({
    source: brokers === "" ? controlLog({ url: control }) : kafkaLog(kafka),
    file: `${dir}/${id}.purges`,
    index,
    onApplied: (entries) => {
      for (const entry of entries) if (entry.kind !== "skipped") note(entry.seq);
      link.reportApplied();
    },
  });
  await follower.start();
  await follower.waitCaughtUp(30_000);
  await link.start();
}

await Deno.mkdir(dir, { recursive: true });
for (let at = 0; at < Number(count); at += 25) {
  const group = Array.from({ length: Math.min(25, Number(count) - at) }, (_, i) => at + i);
  await Promise.all(group.map((i) => start(`edge-${Number(first) + i}`)));
}
Deno.stdout.writeSync(encoder.encode("ready\n"));
