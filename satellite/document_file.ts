/**
 * Documents on disk: replaced whole or not at all.
 *
 * @module
 */

/**
 * Replaces a file; a kill at any time leaves the old or the new one.
 *
 * @throws When the folder is not there or cannot be written.
 */
export async function replaceFile(path: string, text: string): Promise<void> {
  const next = `${path}.next`;
  const file = await Deno.open(next, { write: true, create: true, truncate: true });
  try {
    const bytes = new TextEncoder().encode(text);
    for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
    await file.sync();
  } finally {
    file.close();
  }
  await Deno.rename(next, path);
}

/**
 * Tries whether {@link replaceFile} could replace a file, and leaves what is there as it is.
 *
 * @throws When the folder is not there or cannot be written.
 */
export async function tryReplaceable(path: string): Promise<void> {
  const next = `${path}.next`;
  (await Deno.open(next, { write: true, create: true })).close();
  await Deno.remove(next);
}
