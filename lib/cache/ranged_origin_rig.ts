/**
 * An origin for tests whose object is made on the fly: of any size, none of it in memory, each byte to be
 * told by its place.
 *
 * @module
 */

import { type Field, type Fields, fieldValue, formatContentRange, parseRange } from "#http";
import type { NextHopRequest, NextHopResponse } from "./next_hop.ts";
import { reply } from "./scripted_next_hop.ts";

/** What the origin has now. A test changes it as it goes. */
export interface RangedObject {
  bytes: number;
  /** Its validators, freshness and whatever else its head says. */
  fields: Fields;
  /** Makes its bytes differ from those of other versions. */
  version: number;
}

/** The origin of one object. */
export interface RangedOrigin {
  readonly object: RangedObject;
  /** Body bytes that were taken from it. */
  readonly takenBytes: number;
  /** Answers as a server that knows conditions and single ranges (RFC 9110 §13, §14). */
  answer(request: NextHopRequest): NextHopResponse;
}

/** A prime, so that no slice looks like another. */
const period = 65_521;
const pieceBytes = 64 * 1024;
const patterns = new Map<number, Uint8Array>();

function pattern(version: number): Uint8Array {
  let bytes = patterns.get(version);
  if (bytes === undefined) {
    bytes = new Uint8Array(period + pieceBytes);
    for (let i = 0; i < bytes.length; i++) bytes[i] = ((i % period) * (2 * version + 7919)) >>> 3;
    patterns.set(version, bytes);
  }
  return bytes;
}

/** Bytes `[start, end)` of a version. */
export function bytesOf(version: number, start: number, end: number): Uint8Array {
  const bytes = new Uint8Array(end - start);
  for (let at = start; at < end;) {
    const from = at % period;
    const piece = pattern(version).subarray(from, from + Math.min(pieceBytes, end - at));
    bytes.set(piece, at - start);
    at += piece.length;
  }
  return bytes;
}

/** Makes an origin. Its object is fresh for an hour and has a strong entity tag unless `fields` say otherwise. */
export function rangedOrigin(bytes: number, fields?: Fields): RangedOrigin {
  const object: RangedObject = {
    bytes,
    fields: fields ?? [["cache-control", "max-age=3600"], ["etag", '"1"']],
    version: 1,
  };
  let takenBytes = 0;
  const body = (start: number, end: number) => {
    const { version } = object;
    let at = start;
    return new ReadableStream<Uint8Array>({
      pull(controller) {
        const to = Math.min(at + pieceBytes, end);
        if (to > at) controller.enqueue(bytesOf(version, at, to));
        takenBytes += to - at;
        if ((at = to) >= end) controller.close();
      },
    }, { highWaterMark: 0 });
  };
  return {
    object,
    get takenBytes() {
      return takenBytes;
    },
    answer({ method, fields: asked }) {
      const { bytes, fields } = object;
      const head: Field[] = [...fields, ["accept-ranges", "bytes"]];
      const noneMatch = fieldValue(asked, "if-none-match");
      if (noneMatch !== undefined && noneMatch === fieldValue(fields, "etag")) {
        return reply(304, head);
      }
      const range = fieldValue(asked, "range");
      const ranges = range === undefined ? undefined : parseRange(range, bytes);
      if (ranges === "unsatisfiable") {
        return reply(416, [["content-range", `bytes */${bytes}`]], "not there");
      }
      const [[start, end]] = ranges ?? [[0, bytes]];
      head.push(["content-length", String(end - start)]);
      if (ranges !== undefined) {
        head.push(["content-range", formatContentRange([start, end], bytes)]);
      }
      const whole = method === "HEAD" ? body(0, 0) : body(start, end);
      return { status: ranges === undefined ? 200 : 206, fields: head, body: whole };
    },
  };
}
