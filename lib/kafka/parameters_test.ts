import assert from "node:assert/strict";
import { BadValue, readSettings } from "#config";
import { purgeLogParameters, readKafka } from "./parameters.ts";

const table = purgeLogParameters("Which log.");

function kafkaOf(...args: string[]) {
  const reading = readSettings(table, { args, env: {}, readFile: () => "" });
  assert.ok(reading.kind === "settings", JSON.stringify(reading));
  return readKafka(reading.settings, "edge-1");
}

Deno.test("the embedded log is the default and needs no Kafka", () => {
  assert.equal(kafkaOf(), undefined);
  assert.equal(kafkaOf("--purge-log", "embedded"), undefined);
});

Deno.test("brokers, topic and security come from the flags", async () => {
  assert.deepEqual(kafkaOf("--purge-log", "kafka=a.example:9092, b:1"), {
    brokers: ["a.example:9092", "b:1"],
    topic: "cdn-purge",
    clientId: "edge-1",
  });
  const dir = await Deno.makeTempDir();
  await Deno.writeTextFile(`${dir}/ca`, "PEM");
  await Deno.writeTextFile(`${dir}/password`, "secret \n");
  const flags = ["--purge-log=kafka=a:1", "--kafka-topic=t", "--kafka-security=sasl_ssl"]
    .concat(`--kafka-ca=${dir}/ca`, "--kafka-username=u", `--kafka-password-file=${dir}/password`);
  assert.deepEqual(kafkaOf(...flags), {
    brokers: ["a:1"],
    topic: "t",
    clientId: "edge-1",
    tls: { ca: ["PEM"] },
    sasl: { mechanism: "scram-sha-512", username: "u", password: "secret " },
  });
  await Deno.remove(dir, { recursive: true });
});

for (const value of ["kafka", "kafka=", "kafka=nowhere", "redis=a:1", "kafka=a:1,"]) {
  Deno.test(`--purge-log ${value} is refused`, () => {
    const args = ["--purge-log", value];
    const reading = readSettings(table, { args, env: {}, readFile: () => "" });
    assert.ok(reading.kind === "refused");
    assert.match(reading.sentence, /^Cannot use --purge-log: need .*: received /);
  });
}

Deno.test("what does not fit together is refused in one sentence", () => {
  const wrong = [
    ["--kafka-security", "sasl_ssl"],
    ["--kafka-security", "sasl_plaintext", "--kafka-username", "u"],
    ["--kafka-security", "ssl", "--kafka-ca", "/nowhere"],
  ];
  for (const flags of wrong) {
    assert.throws(() => kafkaOf("--purge-log", "kafka=a:1", ...flags), (error) => {
      assert.ok(error instanceof BadValue);
      assert.match(error.message, /^Cannot use --kafka-[a-z]+: need [^\n]+: received [^\n]+$/);
      return true;
    });
  }
});
