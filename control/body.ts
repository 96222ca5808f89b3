/**
 * Reads a JSON body, bounded.
 *
 * @module
 */

import { readAtMost } from "#http";

/** What a body held, or the status and sentence to answer. */
export type BodyReading =
  | { readonly kind: "json"; readonly value: unknown }
  | { readonly kind: "refused"; readonly status: 400 | 413; readonly sentence: string };

/** Reads a body of at most `maxBytes` as JSON. */
export async function readJson(request: Request, maxBytes: number): Promise<BodyReading> {
  const body = await readAtMost(request.body, maxBytes);
  if (body === undefined) {
    const sentence = `Cannot read the body: need at most ${maxBytes} bytes: received more`;
    return { kind: "refused", status: 413, sentence };
  }
  try {
    return { kind: "json", value: JSON.parse(new TextDecoder().decode(body)) };
  } catch {
    const sentence = `Cannot read the body: need JSON: received ${body.length} bytes that are not`;
    return { kind: "refused", status: 400, sentence };
  }
}
