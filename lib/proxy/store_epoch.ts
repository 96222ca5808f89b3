/**
 * The epoch of what ATS or Varnish keep for this node, beside its place in the purge log: both are
 * kept or lost together.
 *
 * @module
 */

const file = (dir: string) => `${dir}/store.epoch`;

/** Returns the epoch that was kept, if one was. */
export function keptEpoch(dir: string): string | undefined {
  try {
    const epoch = Deno.readTextFileSync(file(dir)).trim();
    return /^[0-9a-f]{12}$/.test(epoch) ? epoch : undefined;
  } catch {
    return undefined;
  }
}

/** Keeps an epoch, whole or not at all, before it returns. */
export function keepEpoch(dir: string, epoch: string): void {
  Deno.mkdirSync(dir, { recursive: true });
  const unfinished = `${file(dir)}.new`;
  using written = Deno.openSync(unfinished, { write: true, create: true, truncate: true });
  written.writeSync(new TextEncoder().encode(`${epoch}\n`));
  written.syncSync();
  Deno.renameSync(unfinished, file(dir));
}
