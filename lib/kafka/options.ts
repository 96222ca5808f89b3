/**
 * Where Kafka is and how it is entered.
 *
 * @module
 */

/** Name and password, in one of Kafka's SASL mechanisms. */
export interface KafkaSasl {
  readonly mechanism: "plain" | "scram-sha-256" | "scram-sha-512";
  readonly username: string;
  readonly password: string;
}

/** A cluster and the topic of the purge log in it. */
export interface KafkaOptions {
  /** Addresses to start from, as `host:port`. */
  readonly brokers: readonly string[];
  readonly topic: string;
  /** TLS, with certificates (PEM) that brokers may be signed by beside the public ones. */
  readonly tls?: { readonly ca: readonly string[] };
  readonly sasl?: KafkaSasl;
  /** Name of this client in the broker's logs. */
  readonly clientId: string;
}
