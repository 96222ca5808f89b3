import assert from "node:assert/strict";
import { originFindings } from "./origin_count.ts";

const count = (full: number, notModified = 0) => ({ full, notModified, head: 0, missing: 0 });
const good = {
  "/one/seg-1.ts": count(1),
  "/one/cmaf/video-init.mp4": count(1),
  "/dvbi/services.xml": count(1),
  "/files/notice.txt": count(3),
  "/one/index.m3u8": count(6, 2),
  "/none": { full: 0, notModified: 0, head: 0, missing: 4 },
};
const holds = (paths: typeof good) =>
  originFindings({ edition: 3, paths }, 8).map((finding) => finding.holds);

Deno.test("once each, once per edition, once per second: all holds", () => {
  assert.deepEqual(holds(good), [true, true, true]);
});

for (
  const { what, set, want } of [
    { what: "an object twice", set: { "/one/seg-1.ts": count(2) }, want: [false, true, true] },
    {
      what: "an object revalidated",
      set: { "/one/seg-1.ts": count(1, 1) },
      want: [false, true, true],
    },
    { what: "an edition twice", set: { "/files/notice.txt": count(4) }, want: [true, false, true] },
    {
      what: "a playlist too often",
      set: { "/one/index.m3u8": count(10) },
      want: [true, true, false],
    },
  ]
) {
  Deno.test(`${what} from the origin is found`, () => {
    assert.deepEqual(holds({ ...good, ...set }), want);
  });
}

Deno.test("a finding that fails names the object and how often it was fetched", () => {
  const [finding] = originFindings(
    { edition: 1, paths: { "/a.ts": count(3), "/b.ts": count(1) } },
    1,
  );
  assert.equal(finding.seen, "2 objects, 4 fetches; /a.ts 3 times");
});

Deno.test("nothing fetched at all is no success", () => {
  const findings = originFindings({ edition: 1, paths: {} }, 1);
  assert.ok(findings.every((finding) => !finding.holds));
});
