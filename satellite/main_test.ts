import assert from "node:assert/strict";
import { SlidingOrigin } from "./origin_fixture.ts";
import { RecordingReceiver } from "./receiver_fixture.ts";

const main = new URL("./main.ts", import.meta.url).pathname;

function headend(...args: readonly string[]): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", main, ...args],
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

Deno.test("the program sends, writes its documents, and drains at SIGTERM with exit code 0", async () => {
  const receiver = await RecordingReceiver.open("239.255.40.90");
  const origin = new SlidingOrigin();
  const folder = await Deno.makeTempDir();
  const program = headend(
    ...["--origin", origin.url.href, "--admin", "127.0.0.1:0"],
    ...["--group", `239.255.40.90:${receiver.port}`, "--rate", "20Mbit"],
    ...["--session-file", `${folder}/session.xml`, "--bootstrap-file", `${folder}/boot.xml`],
  );
  try {
    await receiver.until("a playlist", () => receiver.find("/one/index.m3u8") !== undefined);
    program.kill("SIGTERM");
    const { code, stderr } = await program.output();
    const log = new TextDecoder().decode(stderr);
    assert.equal(code, 0, log);
    assert.match(log, /"message":"stopped"/);
    assert.match(await Deno.readTextFile(`${folder}/session.xml`), /<MulticastSession /);
    assert.doesNotMatch(await Deno.readTextFile(`${folder}/boot.xml`), /<MulticastSession /);
  } finally {
    await receiver.close();
    await origin.close();
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("with control away the program sends all the same", async () => {
  const receiver = await RecordingReceiver.open("239.255.40.91");
  const origin = new SlidingOrigin();
  const folder = await Deno.makeTempDir();
  const program = headend(
    ...["--origin", origin.url.href, "--admin", "127.0.0.1:0"],
    ...["--group", `239.255.40.91:${receiver.port}`, "--rate", "20Mbit"],
    ...["--control", "http://127.0.0.1:1", "--data", folder, "--catch-up", "100ms"],
  );
  try {
    await receiver.until("a playlist", () => receiver.find("/one/index.m3u8") !== undefined);
    program.kill("SIGTERM");
    const { code, stderr } = await program.output();
    assert.equal(code, 0);
    const log = new TextDecoder().decode(stderr);
    assert.match(log, /"message":"sending before the purge log was reached"/);
    assert.ok(origin.requests.every(({ purgeSeq }) => purgeSeq === "0"));
  } finally {
    await receiver.close();
    await origin.close();
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("bad input ends in one sentence and exit code 2", async () => {
  const { code, stdout, stderr } = await headend("--rate", "fast").output();
  assert.equal(code, 2);
  assert.equal(stdout.length, 0);
  assert.match(new TextDecoder().decode(stderr), /^Cannot use --rate: need a rate [^\n]*\n$/);
});
