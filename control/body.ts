/**
 * Reads a JSON body, bounded.
 *
 * @module
 */

/** What a body held, or the status and sentence to answer. */
export type BodyReading =
  | { readonly kind: "json"; readonly value: unknown }
  | { readonly kind: "refused"; readonly status: 400 | 413; readonly sentence: string };

/** Reads a body of at most `maxBytes` as JSON. */
export async function readJson(request: Request, maxBytes: number): Promise<BodyReading> {
  const decoder = new TextDecoder();
  let text = "", bytes = 0;
  for await (const chunk of request.body ?? []) {
    bytes += chunk.length;
    if (bytes > maxBytes) {
      const sentence = `Cannot read the body: need at most ${maxBytes} bytes: received more`;
      return { kind: "refused", status: 413, sentence };
    }
    text += decoder.decode(chunk, { stream: true });
  }
  try {
    return { kind: "json", value: JSON.parse(text + decoder.decode()) };
  } catch {
    const sentence = `Cannot read the body: need JSON: received ${bytes} bytes that are not`;
    return { kind: "refused", status: 400, sentence };
  }
}
