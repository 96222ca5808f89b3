/**
 * `--purge-log` and the `--kafka-*` flags, with the words of Kafka's own configuration.
 *
 * @module
 */

import {
  BadValue,
  choice,
  type HostPort,
  hostPort,
  name,
  optional,
  type Parameter,
  path,
  type Settings,
  text,
} from "#config";
import type { KafkaOptions, KafkaSasl } from "./options.ts";

/** Which purge log: control's own, or that of a Kafka cluster. */
export type PurgeLogChoice = "embedded" | { readonly brokers: readonly HostPort[] };

/** Returns the rows; `help` says what the program does with the log. */
export function purgeLogParameters(help: string) {
  return {
    purgeLog: purgeLog(help),
    kafkaTopic: name("cdn-purge", "Topic of the purge log in Kafka; it has one partition."),
    kafkaSecurity: choice(
      ["plaintext", "ssl", "sasl_plaintext", "sasl_ssl"],
      "plaintext",
      "How Kafka is reached, in the words of its security.protocol.",
    ),
    kafkaCa: optional(
      path(undefined, "PEM certificates that brokers may be signed by, beside the public.", "FILE"),
    ),
    kafkaSaslMechanism: choice(
      ["plain", "scram-sha-256", "scram-sha-512"],
      "scram-sha-512",
      "How name and password are shown to Kafka.",
    ),
    kafkaUsername: optional(text(undefined, "Name at Kafka.", "NAME")),
    kafkaPasswordFile: optional(path(undefined, "File with the password at Kafka.", "FILE")),
  } as const;
}

function purgeLog(help: string): Parameter<PurgeLogChoice> {
  const address = hostPort(undefined, "");
  const read = (value: string): PurgeLogChoice => {
    if (value === "embedded") return "embedded";
    if (!value.startsWith("kafka=")) {
      throw new BadValue(`need embedded or kafka=HOST:PORT[,HOST:PORT]: received ${value}`);
    }
    const brokers = value.slice("kafka=".length).split(",").map((part) =>
      address.read(part.trim())
    );
    return { brokers };
  };
  const form = "embedded|kafka=HOST:PORT[,HOST:PORT]";
  return { form, default: "embedded", help, read, repeats: false };
}

/**
 * Returns what the flags say of Kafka; `undefined` with the embedded log.
 *
 * @throws {BadValue} One sentence, when the flags do not fit together or a file cannot be read.
 */
export function readKafka(
  settings: Settings<ReturnType<typeof purgeLogParameters>>,
  clientId: string,
): KafkaOptions | undefined {
  const { purgeLog, kafkaTopic, kafkaSecurity, kafkaCa } = settings;
  if (purgeLog === "embedded") return undefined;
  const brokers = purgeLog.brokers.map(({ hostname, port }) => `${hostname}:${port}`);
  const ca = kafkaCa === undefined ? [] : [readFile("--kafka-ca", kafkaCa)];
  return {
    brokers,
    topic: kafkaTopic,
    clientId,
    ...kafkaSecurity.endsWith("ssl") && { tls: { ca } },
    ...kafkaSecurity.startsWith("sasl") && { sasl: readSasl(settings) },
  };
}

function readSasl(
  { kafkaSaslMechanism, kafkaUsername, kafkaPasswordFile, kafkaSecurity }: Settings<
    ReturnType<typeof purgeLogParameters>
  >,
): KafkaSasl {
  if (kafkaUsername === undefined || kafkaPasswordFile === undefined) {
    const need = "need --kafka-username and --kafka-password-file with it";
    throw new BadValue(`Cannot use --kafka-security: ${need}: received ${kafkaSecurity} alone`);
  }
  const password = readFile("--kafka-password-file", kafkaPasswordFile).replace(/\r?\n$/, "");
  return { mechanism: kafkaSaslMechanism, username: kafkaUsername, password };
}

function readFile(flag: string, file: string): string {
  try {
    return Deno.readTextFileSync(file);
  } catch (error) {
    const reason = (error as Error).message;
    throw new BadValue(`Cannot use ${flag}: need a file that can be read: received ${reason}`);
  }
}
