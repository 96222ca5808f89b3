/**
 * `deno bench -A bench/micro`: what reading a request head costs. A connection's next head is like its
 * last (a probe), like it but for the target (a player), or another.
 *
 * @module
 */

import { defaultLimits, HeadParser } from "#http1";

const count = 1000;
const encoder = new TextEncoder();

function headOf(target: string, ...lines: readonly string[]): Uint8Array {
  const fixed = ["Host: edge.test", "Accept: */*", "Accept-Encoding: gzip, br"];
  return encoder.encode([`GET ${target} HTTP/1.1`, ...fixed, ...lines, "", ""].join("\r\n"));
}

const targets = Array.from({ length: count }, (_, n) => `/live/channel-1/segment-${n}.ts`);
const player = targets.map((target) => headOf(target, "User-Agent: player/1.0"));
const other = targets.map((target, n) =>
  headOf(target, `User-Agent: player/${n % 13}.0`, `X-Playback-Session-Id: ${n * 7919}`)
);

const parser = new HeadParser(defaultLimits);
let turn = 0;

function parse(head: Uint8Array): void {
  parser.reset();
  parser.parse(head);
}

Deno.bench("a head: the same octets", () => parse(player[0]));
Deno.bench("a head: another target", () => parse(player[turn++ % count]));
Deno.bench("a head: another target and other fields", () => parse(other[turn++ % count]));
