/**
 * The parts of kafkajs that we use, and what has to be mended in them.
 *
 * A follower of the purge log reads one partition from an offset that it keeps itself. kafkajs offers
 * that only to consumer groups, which a broker lets wait for three seconds at each start and keeps
 * state for; so this goes to the cluster below them.
 *
 * @module
 */

import type { Socket } from "node:net";
import { connect as connectTcp, isIP } from "node:net";
import { connect as connectTls } from "node:tls";
import {
  Kafka,
  type KafkaConfig,
  type KafkaMessage,
  logLevel,
  type RetryOptions,
  type SASLOptions,
} from "kafkajs";
import Cluster from "kafkajs/src/cluster/index.js";
import { createLogger } from "kafkajs/src/loggers/index.js";
import RequestQueue from "kafkajs/src/network/requestQueue/index.js";
import type { KafkaOptions } from "./options.ts";

/** A broker of the cluster, as far as we use it. */
interface Broker {
  fetch(request: {
    replicaId: number;
    isolationLevel: number;
    maxWaitTime: number;
    minBytes: number;
    maxBytes: number;
    topics: readonly {
      topic: string;
      partitions: readonly {
        partition: number;
        currentLeaderEpoch: number;
        fetchOffset: string;
        maxBytes: number;
      }[];
    }[];
  }): Promise<
    { responses: { partitions: { messages: KafkaMessage[]; highWatermark: string }[] }[] }
  >;
}

/** The cluster, as far as we use it. */
export interface KafkaCluster {
  connect(): Promise<void>;
  addTargetTopic(topic: string): Promise<void>;
  findTopicPartitionMetadata(topic: string): readonly { leader: number; partitionId: number }[];
  findBroker(of: { nodeId: string }): Promise<Broker>;
  fetchTopicsOffset(
    topics: readonly {
      topic: string;
      partitions: readonly { partition: number }[];
      fromBeginning: boolean;
    }[],
  ): Promise<{ partitions: { offset: string }[] }[]>;
}

/** kafkajs checks for throttled requests once a millisecond for ever; there are none to check. */
interface Queue {
  pending: readonly unknown[];
  throttledUntil: number;
}
const { scheduleCheckPendingRequests } = RequestQueue.prototype;
RequestQueue.prototype.scheduleCheckPendingRequests = function (this: Queue): void {
  if (this.pending.length === 0 && this.throttledUntil <= Date.now()) return;
  scheduleCheckPendingRequests.call(this);
};

/** The sockets of one client, so that it can be ended without waiting for an answer. */
class Sockets {
  readonly #open = new Set<Socket>();
  #ended = false;

  /** Makes a socket as kafkajs wants it. */
  readonly factory: NonNullable<KafkaConfig["socketFactory"]> = (
    { host, port, ssl, onConnect },
  ) => {
    const name = isIP(host) ? {} : { servername: host };
    const socket = ssl
      ? connectTls({ host, port, ...name, ...ssl }, onConnect)
      : connectTcp({ host, port }, onConnect);
    this.#open.add(socket);
    socket.once("close", () => this.#open.delete(socket));
    if (this.#ended) queueMicrotask(() => socket.destroy(new Error("the client was ended")));
    return socket;
  };

  /** Ends all sockets and every one that is still to come. */
  end(): void {
    this.#ended = true;
    for (const socket of this.#open) socket.destroy(new Error("the client was ended"));
  }
}

/** How long a client may take, in milliseconds. */
export interface ClientTimes {
  readonly connectMs: number;
  readonly requestMs: number;
  readonly retry: RetryOptions;
}

function configOf(
  { brokers, clientId, tls, sasl }: KafkaOptions,
  { connectMs, requestMs, retry }: ClientTimes,
  sockets: Sockets,
) {
  return {
    brokers: fromAnywhere(brokers),
    clientId,
    ssl: tls && { ca: tls.ca.length === 0 ? undefined : [...tls.ca] },
    sasl: sasl as SASLOptions | undefined,
    connectionTimeout: connectMs,
    authenticationTimeout: connectMs,
    reauthenticationThreshold: 10_000,
    requestTimeout: requestMs,
    enforceRequestTimeout: true,
    socketFactory: sockets.factory,
    retry,
  };
}

/** The addresses, beginning with any of them: not every node asks the same broker first. */
function fromAnywhere(brokers: readonly string[]): string[] {
  const first = Math.floor(Math.random() * brokers.length);
  return [...brokers.slice(first), ...brokers.slice(0, first)];
}

/** A kafkajs client that can be ended at once. */
export function kafkaClient(options: KafkaOptions, times: ClientTimes) {
  const sockets = new Sockets();
  const kafka = new Kafka({
    ...configOf(options, times, sockets),
    logLevel: logLevel.NOTHING,
    logCreator: () => () => {},
  });
  return { kafka, end: () => sockets.end() };
}

/** The cluster below kafkajs's consumers, for one that reads without a group. */
export function kafkaCluster(options: KafkaOptions, times: ClientTimes) {
  const sockets = new Sockets();
  const cluster: KafkaCluster = new Cluster({
    ...configOf(options, times, sockets),
    logger: createLogger({ level: 0, logCreator: () => () => {} }),
    metadataMaxAge: 300_000,
    allowAutoTopicCreation: false,
    maxInFlightRequests: null,
    isolationLevel: 0,
  });
  return { cluster, end: () => sockets.end() };
}
