/**
 * A node's follower in a process of its own, for a test to kill: prints each number it has applied.
 *
 * @module
 */

import { controlLog, PurgeFollower, PurgeIndex } from "#purge";

if (import.meta.main) {
  const [url, file] = Deno.args;
  const encoder = new TextEncoder();
  const index = new PurgeIndex();
  const retryMs = { first: 10, last: 50 };
  const say = () => void Deno.stdout.writeSync(encoder.encode(`${index.appliedSeq}\n`));
  const follower = new PurgeFollower({
    source: controlLog({ url }),
    file,
    index,
    retryMs,
    onApplied: say,
  });
  await follower.start();
  say();
}
