import assert from "node:assert/strict";
import { compareStream } from "./stream_client.ts";

const segments = [[1, 1, 1], [2, 2], [3, 3, 3], [4]].map((bytes) => new Uint8Array(bytes));
const stream = (...bytes: number[]) => new Uint8Array(bytes);

for (
  const { what, bytes, wholeSegments, fault } of [
    { what: "whole segments", bytes: stream(2, 2, 3, 3, 3), wholeSegments: 2, fault: undefined },
    { what: "a last segment cut", bytes: stream(2, 2, 3, 3), wholeSegments: 1, fault: undefined },
    {
      what: "all segments",
      bytes: stream(1, 1, 1, 2, 2, 3, 3, 3, 4),
      wholeSegments: 4,
      fault: undefined,
    },
    {
      what: "a byte that differs",
      bytes: stream(2, 2, 3, 9, 3),
      wholeSegments: 1,
      fault: "it differs after 1 segments",
    },
    {
      what: "a segment left out",
      bytes: stream(1, 1, 1, 3, 3, 3),
      wholeSegments: 1,
      fault: "it differs after 1 segments",
    },
    {
      what: "another start",
      bytes: stream(9, 9),
      wholeSegments: 0,
      fault: "it begins with no segment of the origin",
    },
    {
      what: "nothing",
      bytes: stream(),
      wholeSegments: 0,
      fault: "it begins with no segment of the origin",
    },
    {
      what: "bytes after the newest segment",
      bytes: stream(4, 5),
      wholeSegments: 1,
      fault: "it goes on after the newest segment",
    },
  ]
) {
  Deno.test(`a stream of ${what} is judged`, () => {
    assert.deepEqual(compareStream(bytes, segments), { wholeSegments, fault });
  });
}
