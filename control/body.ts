/**
 * Reads a body of JSON or YAML, bounded.
 *
 * @module
 */

import { parse as parseYaml } from "yaml";
import { readAtMost } from "#http";

/** What a body held, or the status and sentence to answer. */
export type BodyReading =
  | { readonly kind: "json"; readonly value: unknown }
  | { readonly kind: "refused"; readonly status: 400 | 413; readonly sentence: string };

/** Aliases of a YAML document that are followed: more would make a short text a long one. */
const maxAliasCount = 100;

/** Reads a body of at most `maxBytes` as JSON. */
export function readJson(request: Request, maxBytes: number): Promise<BodyReading> {
  return read(request, maxBytes, { as: "JSON", parse: JSON.parse });
}

/** Reads a body of at most `maxBytes` as YAML when its media type says so (RFC 9512), else as JSON. */
export function readDocument(request: Request, maxBytes: number): Promise<BodyReading> {
  const type = request.headers.get("content-type") ?? "";
  if (!/^(application|text)\/(x-)?yaml\s*(;|$)/i.test(type)) return readJson(request, maxBytes);
  const parse = (text: string) => parseYaml(text, { maxAliasCount, logLevel: "error" });
  return read(request, maxBytes, { as: "YAML", parse });
}

async function read(
  request: Request,
  maxBytes: number,
  { as, parse }: { as: string; parse: (text: string) => unknown },
): Promise<BodyReading> {
  const body = await readAtMost(request.body, maxBytes);
  if (body === undefined) {
    const sentence = `Cannot read the body: need at most ${maxBytes} bytes: received more`;
    return { kind: "refused", status: 413, sentence };
  }
  try {
    return { kind: "json", value: parse(new TextDecoder().decode(body)) };
  } catch {
    const sentence = `Cannot read the body: need ${as}: received ${body.length} bytes that are not`;
    return { kind: "refused", status: 400, sentence };
  }
}
