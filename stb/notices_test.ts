import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { Notice, NoticeOutcome } from "#notice";
import { Notices } from "./notices.ts";
import { noticeKeeper } from "./trust_file.ts";
import { generateKeys, parsePublicKey, readSigner, sealNotice } from "#notice";

const one = new TextEncoder().encode("<one/>");
const two = new TextEncoder().encode("<two/>");
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

/** A box whose keeper answers as told. */
function box(answers: { outcome: NoticeOutcome; notice?: Notice }[] | "fails") {
  const said: string[] = [];
  const notices = new Notices({
    keeper: {
      take: () =>
        answers === "fails" ? Promise.reject(new Error("disk")) : Promise.resolve(answers.shift()!),
    },
    onWithdrawals: ({ afterSeq }) => said.push(`withdrawals after ${afterSeq}`),
    onConfiguration: (document) => said.push(new TextDecoder().decode(document)),
    onOutcome: (outcome) => said.push(outcome),
    onUnapproved: () => said.push("unapproved"),
    nowMs: () => 0,
  });
  return { notices, said };
}

function naming(document: Uint8Array, more: Partial<Notice> = {}): Notice {
  return { sequence: 1, expiresMs: 1, configuration: sha256(document), ...more };
}

Deno.test("a configuration counts when a notice names it, whichever comes first", async () => {
  const { notices, said } = box([
    { outcome: "applied", notice: naming(one) },
    { outcome: "applied", notice: naming(two) },
  ]);
  notices.configure(one);
  await notices.hear(one);
  notices.configure(two);
  await notices.hear(two);
  notices.configure(two);
  assert.deepEqual(said, [
    "unapproved",
    "applied",
    "<one/>",
    "unapproved",
    "applied",
    "<two/>",
    "<two/>",
  ]);
});

Deno.test("a notice that does not count changes nothing", async () => {
  const { notices, said } = box([{ outcome: "bad_signature" }, { outcome: "replayed" }]);
  notices.configure(one);
  await notices.hear(one);
  await notices.hear(one);
  assert.deepEqual(said, ["unapproved", "bad_signature", "replayed"]);
});

Deno.test("withdrawals are handed on, and again when the notice is repeated after a start", async () => {
  const withdrawals = { logId: "L", afterSeq: 4, entries: [] };
  const { notices, said } = box([{ outcome: "repeated", notice: naming(one, { withdrawals }) }]);
  await notices.hear(one);
  assert.deepEqual(said, ["repeated", "withdrawals after 4"]);
});

Deno.test("a notice that cannot be kept does not count", async () => {
  const { notices, said } = box("fails");
  await notices.hear(one);
  assert.deepEqual(said, ["not_kept"]);
});

Deno.test("what a box trusts is on its disk, and a damaged file leaves the pinned key", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const file = `${dir}/trust.json`;
    const { privatePem, publicKey } = await generateKeys();
    const signer = (await readSigner(privatePem))!;
    const pinned = parsePublicKey(publicKey)!;
    assert.equal(await noticeKeeper(undefined, file), undefined);
    const keeper = (await noticeKeeper(pinned, file))!;
    const sealed = await sealNotice({ sequence: 9, expiresMs: 9e15 }, signer);
    assert.equal((await keeper.take(sealed, Date.now())).outcome, "applied");
    const again = (await noticeKeeper(pinned, file))!;
    assert.equal((await again.take(sealed, Date.now())).outcome, "repeated");
    await Deno.writeTextFile(file, "{");
    assert.deepEqual((await noticeKeeper(pinned, file))!.state, { sequence: 0, keys: [publicKey] });
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
