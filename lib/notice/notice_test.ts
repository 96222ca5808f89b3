import assert from "node:assert/strict";
import fc from "fast-check";
import { generateKeys, type Notice, NoticeKeeper, sealNotice, type Signer } from "./mod.ts";
import { parsePublicKey, type PublicKey, readSigner } from "./keys.ts";
import { openNotice, parseNotice } from "./notice.ts";

const nowMs = Date.UTC(2026, 10, 22);
const record = {
  id: "p",
  kind: "tag",
  value: "news",
  soft: false,
  issuedMs: 0,
  issuer: "ops",
} as const;

function notice(more: Partial<Notice> = {}): Notice {
  return { sequence: 5, expiresMs: nowMs + 60_000, ...more };
}

async function keyPair(): Promise<{ signer: Signer; text: string; key: PublicKey }> {
  const { privatePem, publicKey } = await generateKeys();
  const signer = await readSigner(privatePem);
  assert.ok(signer);
  return { signer, text: publicKey, key: parsePublicKey(publicKey)! };
}

const operator = await keyPair();
const stranger = await keyPair();

type Kept = ConstructorParameters<typeof NoticeKeeper>[0]["kept"];

/** A box that was given the operator's key, and its disk. */
function box(kept?: Kept) {
  const disk: NonNullable<Kept>[] = [];
  const keep = (state: NonNullable<Kept>) => Promise.resolve(void disk.push(state));
  return { keeper: new NoticeKeeper({ pinned: operator.key, kept, keep }), disk };
}

Deno.test("a notice that the operator signed counts once", async () => {
  const { keeper, disk } = box();
  const withdrawals = { logId: "L", afterSeq: 3, entries: [{ ...record, seq: 4 }] };
  const said = notice({ configuration: "ab".repeat(32), withdrawals });
  const sealed = await sealNotice(said, operator.signer);
  assert.deepEqual(await keeper.take(sealed, nowMs), { outcome: "applied", notice: said });
  assert.equal((await keeper.take(sealed, nowMs)).outcome, "repeated");
  assert.deepEqual(disk, [{ sequence: 5, keys: [operator.text], pinned: operator.text }]);
});

const refusals: { what: string; outcome: string; make: () => Promise<Uint8Array>; at?: number }[] =
  [
    {
      what: "a stranger's",
      outcome: "untrusted_key",
      make: () => sealNotice(notice(), stranger.signer),
    },
    {
      what: "a stranger's under the operator's name",
      outcome: "bad_signature",
      make: () => sealNotice(notice(), { ...stranger.signer, publicKey: operator.key }),
    },
    {
      what: "one that is over",
      outcome: "expired",
      make: () => sealNotice(notice({ expiresMs: nowMs }), operator.signer),
    },
    {
      what: "one with a hole in its list",
      outcome: "malformed",
      make: () => {
        const entries = [{ ...record, seq: 4 }, { ...record, seq: 6 }];
        const withdrawals = { logId: "L", afterSeq: 3, entries };
        return sealNotice(notice({ withdrawals }), operator.signer);
      },
    },
    {
      what: "one that trusts what is no key",
      outcome: "malformed",
      make: () => sealNotice(notice({ keys: ["no key"] }), operator.signer),
    },
    {
      what: "another document",
      outcome: "malformed",
      make: () => Promise.resolve(new TextEncoder().encode("<MulticastGatewayConfiguration/>")),
    },
    {
      what: "one that is too long",
      outcome: "malformed",
      make: async () => {
        const sealed = await sealNotice(notice(), operator.signer);
        const long = new Uint8Array(300_000).fill(32);
        long.set(sealed);
        return long;
      },
    },
  ];

for (const { what, outcome, make } of refusals) {
  Deno.test(`${what} changes nothing: ${outcome}`, async () => {
    const { keeper, disk } = box();
    assert.deepEqual(await keeper.take(await make(), nowMs), { outcome });
    assert.deepEqual([keeper.state.sequence, disk], [0, []]);
  });
}

Deno.test("an older notice changes nothing, also after a restart", async () => {
  const older = await sealNotice(notice({ sequence: 4 }), operator.signer);
  const { keeper, disk } = box();
  await keeper.take(await sealNotice(notice(), operator.signer), nowMs);
  assert.equal((await keeper.take(older, nowMs)).outcome, "replayed");
  assert.equal((await box(disk[0]).keeper.take(older, nowMs)).outcome, "replayed");
});

Deno.test("a box whose clock was never set goes by the sequence alone", async () => {
  const { keeper } = box();
  const old = await sealNotice(notice({ expiresMs: 1 }), operator.signer);
  assert.equal((await keeper.take(old, 1000)).outcome, "applied");
});

Deno.test("keys are handed on: the new one counts from then on, and the old one no more", async () => {
  const next = await keyPair();
  const { keeper, disk } = box();
  const both = notice({ sequence: 6, keys: [operator.text, next.text] });
  await keeper.take(await sealNotice(both, operator.signer), nowMs);
  const alone = notice({ sequence: 7, keys: [next.text] });
  assert.equal((await keeper.take(await sealNotice(alone, next.signer), nowMs)).outcome, "applied");
  const late = await sealNotice(notice({ sequence: 8 }), operator.signer);
  assert.equal((await keeper.take(late, nowMs)).outcome, "untrusted_key");
  const again = box(disk.at(-1)).keeper;
  assert.equal((await again.take(late, nowMs)).outcome, "untrusted_key");
  const fresh = await sealNotice(notice({ sequence: 9 }), next.signer);
  assert.equal((await again.take(fresh, nowMs)).outcome, "applied");
});

Deno.test("a box that is given another key forgets what led away from the old one", () => {
  const kept = { sequence: 99, keys: [stranger.text], pinned: stranger.text };
  const { keeper } = box(kept);
  assert.deepEqual(keeper.state, { sequence: 0, keys: [operator.text] });
});

Deno.test("a notice does not count when it cannot be kept", async () => {
  const keep = () => Promise.reject(new Error("disk full"));
  const keeper = new NoticeKeeper({ pinned: operator.key, kept: undefined, keep });
  const sealed = await sealNotice(notice(), operator.signer);
  await assert.rejects(keeper.take(sealed, nowMs), /disk full/);
  assert.equal(keeper.state.sequence, 0);
});

Deno.test("any change of a signed notice is seen", async () => {
  const sealed = await sealNotice(notice(), operator.signer);
  await fc.assert(fc.asyncProperty(
    fc.nat(sealed.length - 1),
    fc.integer({ min: 1, max: 255 }),
    async (at, change) => {
      const forged = sealed.slice();
      forged[at] ^= change;
      const { keeper } = box();
      assert.notEqual((await keeper.take(forged, nowMs)).outcome, "applied");
    },
  ));
});

Deno.test("random bytes are no notice", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
    assert.equal(openNotice(bytes), undefined);
    parseNotice(bytes); // must not throw
  }));
});

Deno.test("only an Ed25519 key in PEM signs", async () => {
  assert.equal(await readSigner("nothing"), undefined);
  assert.equal(
    await readSigner("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"),
    undefined,
  );
  assert.equal(parsePublicKey("short"), undefined);
});
