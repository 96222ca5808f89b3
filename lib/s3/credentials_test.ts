import assert from "node:assert/strict";
import { CredentialsFile, parseCredentials } from "./credentials.ts";

Deno.test("credentials are read in the form of the AWS tools", () => {
  const text = "# a comment\n[default]\naws_access_key_id = AK\naws_secret_access_key=SK/+=\n" +
    "region = x\n[other]\naws_access_key_id = OTHER\n";
  assert.deepEqual(parseCredentials(text), { accessKeyId: "AK", secretAccessKey: "SK/+=" });
  const { sessionToken } = parseCredentials(
    "aws_access_key_id=A\r\naws_secret_access_key=S\r\naws_session_token=T",
  );
  assert.equal(sessionToken, "T");
});

Deno.test("what is missing is said without what is there", () => {
  assert.throws(() => parseCredentials("aws_secret_access_key = hush"), (error: Error) => {
    assert.match(error.message, /need aws_access_key_id/);
    assert.ok(!error.message.includes("hush"));
    return true;
  });
});

Deno.test("a file that changes is read again, one that breaks is not believed", async () => {
  const file = await Deno.makeTempFile();
  let now = 0;
  const write = (key: string, atSeconds: number) => {
    Deno.writeTextFileSync(file, key && `aws_access_key_id=${key}\naws_secret_access_key=S\n`);
    Deno.utimeSync(file, atSeconds, atSeconds);
  };
  try {
    write("one", 1);
    const credentials = new CredentialsFile(file, () => now);
    write("two", 2);
    assert.equal(credentials.current.accessKeyId, "one");
    now += 20_000;
    assert.equal(credentials.current.accessKeyId, "two");
    write("", 3);
    now += 20_000;
    assert.equal(credentials.current.accessKeyId, "two");
    write("three", 4);
    now += 20_000;
    assert.equal(credentials.current.accessKeyId, "three");
  } finally {
    await Deno.remove(file);
  }
});
