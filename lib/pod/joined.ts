/**
 * Chunks in one piece.
 *
 * @module
 */

/** Returns `bytes` in one piece that pins no larger buffer than itself. */
export function joined(chunks: readonly Uint8Array[], bytes: number): Uint8Array {
  const [only] = chunks;
  if (chunks.length === 1 && only.buffer.byteLength === bytes) return only;
  const whole = new Uint8Array(bytes);
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.length;
  }
  return whole;
}

/** Reads a body of that length; `undefined` when it is of another, or breaks off. */
export async function readWhole(
  body: ReadableStream<Uint8Array>,
  bytes: number,
): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = [];
  let received = 0;
  try {
    for await (const chunk of body) {
      received += chunk.length;
      if (received > bytes) return undefined;
      chunks.push(chunk);
    }
  } catch {
    return undefined;
  }
  return received === bytes ? joined(chunks, bytes) : undefined;
}
