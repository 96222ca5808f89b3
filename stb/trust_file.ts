/**
 * What a box trusts, on its disk.
 *
 * @module
 */

import * as v from "valibot";
import { NoticeKeeper, type PublicKey } from "#notice";

const kept = v.object({
  sequence: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  keys: v.array(v.string()),
  pinned: v.string(),
});

/** Makes the keeper of a box that was given a key; `undefined` for one that was not. */
export async function noticeKeeper(
  pinned: PublicKey | undefined,
  file: string,
): Promise<NoticeKeeper | undefined> {
  if (pinned === undefined) return undefined;
  return new NoticeKeeper({
    pinned,
    kept: await read(file),
    keep: (state) => replace(file, JSON.stringify(state)),
  });
}

async function read(file: string): Promise<v.InferOutput<typeof kept> | undefined> {
  try {
    const reading = v.safeParse(kept, JSON.parse(await Deno.readTextFile(file)));
    return reading.success ? reading.output : undefined;
  } catch {
    return undefined; // none was kept, or it is damaged: the pinned key counts
  }
}

async function replace(file: string, text: string): Promise<void> {
  const next = await Deno.open(`${file}.new`, { write: true, create: true, truncate: true });
  try {
    const bytes = new TextEncoder().encode(text);
    for (let at = 0; at < bytes.length;) at += await next.write(bytes.subarray(at));
    await next.sync();
  } finally {
    next.close();
  }
  await Deno.rename(`${file}.new`, file);
}
