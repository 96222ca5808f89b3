import assert from "node:assert/strict";
import type { Withdrawals } from "#notice";
import { type LogEntry, PurgeFollower, PurgeIndex } from "#purge";
import { AirLog } from "./air_log.ts";

function record(seq: number): LogEntry {
  return {
    seq,
    id: `p${seq}`,
    kind: "tag",
    value: `t${seq}`,
    soft: false,
    issuedMs: 0,
    issuer: "o",
  };
}

function list(afterSeq: number, lastSeq: number, logId = "L"): Withdrawals {
  const entries = Array.from({ length: lastSeq - afterSeq }, (_, at) => record(afterSeq + at + 1));
  return { logId, afterSeq, entries };
}

/** A box that follows the air, with its index and what it had to give up. */
async function follow(
  test: (box: {
    air: AirLog;
    index: PurgeIndex;
    gaps: string[];
    reaches(seq: number): Promise<void>;
    restart(): Promise<void>;
  }) => Promise<void>,
): Promise<void> {
  const dir = await Deno.makeTempDir();
  const air = new AirLog();
  const gaps: string[] = [];
  const made = () => {
    const index = new PurgeIndex();
    const follower = new PurgeFollower({
      source: air,
      file: `${dir}/purges.log`,
      index,
      onGap: (reason) => void gaps.push(reason),
      retryMs: { first: 1, last: 5 },
    });
    return { index, follower };
  };
  let { index, follower } = made();
  await follower.start();
  try {
    await test({
      air,
      get index() {
        return index;
      },
      gaps,
      reaches: async (seq) => assert.ok(await follower.waitFor(seq, 30_000), `seq ${seq}`),
      restart: async () => {
        await follower.stop();
        ({ index, follower } = made());
        await follower.start();
      },
    });
  } finally {
    await follower.stop();
    await Deno.remove(dir, { recursive: true });
  }
}

function verdict(index: PurgeIndex, tag: string, fillSeq = 0): string {
  return index.verdict({ key: "/a", tags: [tag], fillSeq });
}

Deno.test("withdrawals are applied once, in order, and the list may grow", async () => {
  await follow(async (box) => {
    box.air.hear(list(0, 2));
    await box.reaches(2);
    box.air.hear(list(0, 2));
    box.air.hear(list(1, 4));
    await box.reaches(4);
    assert.equal(verdict(box.index, "t4"), "gone");
    assert.equal(verdict(box.index, "t4", 4), "valid");
    assert.equal(verdict(box.index, "other"), "valid");
    assert.deepEqual(box.gaps, []);
  });
});

Deno.test("what was applied outlives a restart, before any notice is heard", async () => {
  await follow(async (box) => {
    box.air.hear(list(0, 3));
    await box.reaches(3);
    await box.restart();
    assert.equal(verdict(box.index, "t3"), "gone");
    box.air.hear(list(2, 5));
    await box.reaches(5);
    assert.deepEqual(box.gaps, []);
  });
});

Deno.test("a box that missed more than a notice lists gives up everything older", async () => {
  await follow(async (box) => {
    box.air.hear(list(0, 2));
    await box.reaches(2);
    box.air.hear(list(10, 12));
    await box.reaches(12);
    assert.deepEqual(box.gaps, ["retention"]);
    assert.equal(verdict(box.index, "other", 2), "gone");
    assert.equal(verdict(box.index, "other", 12), "valid");
  });
});

Deno.test("another log is another log: everything goes", async () => {
  await follow(async (box) => {
    box.air.hear(list(0, 2));
    await box.reaches(2);
    box.air.hear(list(0, 5, "M"));
    await box.reaches(5);
    assert.deepEqual(box.gaps, ["log_changed"]);
    assert.equal(verdict(box.index, "other", 2), "gone");
  });
});

Deno.test("an older list of the same log is waited over", async () => {
  await follow(async (box) => {
    box.air.hear(list(0, 5));
    await box.reaches(5);
    await box.restart();
    box.air.hear(list(0, 3));
    await new Promise((resolve) => setTimeout(resolve, 30));
    assert.equal(box.index.appliedSeq, 5);
    box.air.hear(list(0, 6));
    await box.reaches(6);
    assert.deepEqual(box.gaps, []);
  });
});
