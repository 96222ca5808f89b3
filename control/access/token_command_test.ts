import assert from "node:assert/strict";
import { Database } from "../database.ts";
import { tokenCommand } from "./token_command.ts";
import { Tokens } from "./tokens.ts";

const nowMs = () => 1_800_000_000_000;

function test(name: string, work: (dir: string, run: typeof tokenCommand) => void): void {
  Deno.test(name, async () => {
    const dir = await Deno.makeTempDir();
    try {
      work(`${dir}/data`, tokenCommand);
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  });
}

test("token create makes the first token, list shows it, revoke ends it", (dir, run) => {
  const options = { env: { DOWNLINK_DATA: dir }, nowMs };
  const made = run(
    ["create", "--name", "ops", "--scope", "read,purge", "--expires", "1h"],
    options,
  );
  assert.equal(made.code, 0);
  const secret = made.text.trim();
  // As a control that runs on the same folder.
  const database = new Database(`${dir}/control.db`);
  const tokens = new Tokens(database, nowMs);
  const token = tokens.find(secret);
  assert.deepEqual(
    [token?.name, token?.scopes, token?.createdBy, token?.expiresMs],
    ["ops", ["read", "purge"], "command", nowMs() + 3600e3],
  );
  const list = run(["list"], options);
  assert.match(list.text, /^[0-9a-f]{12} {2}in force {2}read,purge .* ops\n$/);
  assert.deepEqual(run(["revoke", "--id", token!.id], options), {
    code: 0,
    text: `revoked ${token!.id}\n`,
  });
  assert.equal(tokens.find(secret), undefined);
  assert.match(run(["list"], options).text, / revoked /);
  database.close();
});

test("what cannot be done is one sentence and exit code 2", (dir, run) => {
  const options = { env: {}, nowMs };
  const flags = ["--data", dir, "--name", "ops", "--scope"];
  assert.equal(run(["create", ...flags, "read"], options).code, 0);
  for (
    const args of [
      [],
      ["make"],
      ["create", ...flags, "read"],
      ["create", ...flags, "write"],
      ["create", "--data", dir, "--name", "a b", "--scope", "read"],
      ["create", "--data", dir, "--scope", "read"],
      ["list", "--data", "/nowhere"],
      ["revoke", "--data", dir, "--id", "0123456789ab"],
      ["revoke", "--data", dir, "--nonsense"],
    ]
  ) {
    const { code, text } = run(args, options);
    assert.equal(code, 2, args.join(" "));
    assert.match(text, /^Cannot [^\n]+: need [^\n]+: received [^\n]+\n$/, args.join(" "));
  }
});

test("token create --help teaches", (_, run) => {
  const { code, text } = run(["create", "--help"], { env: {}, nowMs });
  assert.equal(code, 0);
  for (const flag of ["--name NAME", "--scope SCOPE[,SCOPE]", "--expires TIME"]) {
    assert.ok(text.includes(flag), flag);
  }
});
