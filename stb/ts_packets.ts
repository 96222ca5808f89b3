/**
 * MPEG-TS is packets of one size (ISO/IEC 13818-1 clause 2.4.3): a stream that ends or changes between
 * two of them goes on cleanly, one that does so inside of one does not.
 *
 * @module
 */

/** Size of a transport packet, in bytes. */
export const packetBytes = 188;

/** Regroups bytes into chunks of whole packets; what is left of one at the end is dropped. */
export async function* wholePackets(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void> {
  const held = new Uint8Array(packetBytes);
  let heldBytes = 0;
  for await (const chunk of chunks) {
    const missing = heldBytes === 0 ? 0 : Math.min(packetBytes - heldBytes, chunk.length);
    held.set(chunk.subarray(0, missing), heldBytes);
    heldBytes += missing;
    if (heldBytes === packetBytes) {
      heldBytes = 0;
      yield held.slice();
    }
    if (heldBytes > 0) continue;
    const end = chunk.length - (chunk.length - missing) % packetBytes;
    if (end > missing) yield chunk.subarray(missing, end);
    held.set(chunk.subarray(end));
    heldBytes = chunk.length - end;
  }
}
