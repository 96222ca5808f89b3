import assert from "node:assert/strict";
import { Ledger } from "./ledger.ts";

Deno.test("Ledger keeps media apart and within all bytes", () => {
  const ledger = new Ledger();
  ledger.came("satellite", 100, { media: true });
  ledger.came("satellite", 10, { media: false });
  ledger.came("repair", 5, { media: true });
  assert.deepEqual(ledger.bytes, { satellite: 110, repair: 5, internet: 0 });
  assert.deepEqual(ledger.media, { satellite: 100, repair: 5, internet: 0 });
  ledger.gave({ satellite: 50, repair: 5, internet: 1 }, { media: false });
  assert.deepEqual(ledger.served, { satellite: 50, repair: 5, internet: 1 });
  assert.deepEqual(ledger.servedMedia, { satellite: 0, repair: 0, internet: 0 });
});

Deno.test("Ledger tells the loss of the last ten seconds, and of all time", () => {
  const ledger = new Ledger();
  assert.equal(ledger.lossShare(0), 0);
  ledger.ended({ expected: 100, received: 50 }, 0);
  ledger.ended({ expected: 100, received: 100 }, 8000);
  assert.equal(ledger.lossShare(8000), 0.25);
  assert.equal(ledger.lossShare(10_001), 0);
  assert.equal(ledger.lossShare(30_000), 0);
  assert.deepEqual(ledger.packets, { expected: 200, received: 150, lost: 50 });
});

Deno.test("Ledger lists the last objects only", () => {
  const ledger = new Ledger();
  const object = { bytes: 1, satellite: 1, repair: 0, internet: 0, tookMs: 1, atMs: 1 };
  for (let i = 0; i < 20; i++) ledger.finished({ ...object, path: `/${i}` });
  assert.deepEqual(ledger.recent.map(({ path }) => path).slice(-2), ["/18", "/19"]);
  assert.equal(ledger.recent.length, 16);
});
