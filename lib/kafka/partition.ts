/**
 * The one partition of the purge topic: which offsets it holds, and what stands in them.
 *
 * @module
 */

import { ConnectionFault, type FollowerFault } from "#purge";
import { type KafkaCluster, kafkaCluster } from "./client.ts";
import type { RawMessage } from "./message.ts";
import type { KafkaOptions } from "./options.ts";

/** Most bytes of one answer; a larger batch still comes whole. */
const maxFetchBytes = 4 << 20;

/** What a partition holds: offsets from `low` to below `high`. */
export interface Held {
  readonly low: number;
  readonly high: number;
}

/** One connection to the leader of the partition. */
export class Partition {
  readonly #cluster: KafkaCluster;
  readonly #topic: string;
  readonly #end: () => void;

  private constructor(cluster: KafkaCluster, topic: string, end: () => void) {
    this.#cluster = cluster;
    this.#topic = topic;
    this.#end = end;
  }

  /**
   * Connects. Nothing is tried twice: who follows a log tries again by its own clock.
   *
   * @param stallMs Silence after which a request has failed.
   * @throws {ConnectionFault}
   */
  static async open(options: KafkaOptions, stallMs: number): Promise<Partition> {
    const times = {
      connectMs: Math.min(stallMs, 5000),
      requestMs: stallMs,
      retry: { retries: 0 },
    };
    const { cluster, end } = kafkaCluster(options, times);
    const partition = new Partition(cluster, options.topic, end);
    return await partition.#guarded(async () => {
      await cluster.connect();
      await cluster.addTargetTopic(options.topic);
      const count = cluster.findTopicPartitionMetadata(options.topic).length;
      if (count === 1) return partition;
      const detail = `need one partition of ${options.topic}: received ${count}`;
      throw new ConnectionFault("bad_answer", detail);
    });
  }

  /** Which offsets it holds now. @throws {ConnectionFault} */
  held(): Promise<Held> {
    return this.#guarded(async () => {
      const low = await this.#offset(true);
      return { low, high: await this.#offset(false) };
    });
  }

  /**
   * Messages from `offset` on; waits up to `waitMs` for the first.
   *
   * @throws {ConnectionFault}
   */
  read(offset: number, waitMs: number): Promise<RawMessage[]> {
    return this.#guarded(async () => {
      const broker = await this.#leader();
      const place = {
        partition: 0,
        currentLeaderEpoch: -1,
        fetchOffset: String(offset),
        maxBytes: maxFetchBytes,
      };
      const { responses } = await broker.fetch({
        replicaId: -1,
        isolationLevel: 0,
        maxWaitTime: waitMs,
        minBytes: 1,
        maxBytes: maxFetchBytes,
        topics: [{ topic: this.#topic, partitions: [place] }],
      });
      // A batch comes whole, also with what lies before the offset.
      return (responses[0]?.partitions[0]?.messages ?? [])
        .map((message) => ({ offset: Number(message.offset), value: message.value }))
        .filter((message) => message.offset >= offset);
    });
  }

  /** Ends the connection; what is waited for fails. */
  close(): void {
    this.#end();
  }

  #leader() {
    const [{ leader }] = this.#cluster.findTopicPartitionMetadata(this.#topic);
    return this.#cluster.findBroker({ nodeId: String(leader) });
  }

  async #offset(fromBeginning: boolean): Promise<number> {
    const partitions = [{ partition: 0 }];
    const [{ partitions: [{ offset }] }] = await this.#cluster.fetchTopicsOffset([
      { topic: this.#topic, partitions, fromBeginning },
    ]);
    return Number(offset);
  }

  async #guarded<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      this.#end();
      throw faultOf(error);
    }
  }
}

/** Says in the follower's words what went wrong. */
function faultOf(error: unknown): ConnectionFault {
  if (error instanceof ConnectionFault) return error;
  const { name = "", message = String(error), type } = error as {
    readonly name?: string;
    readonly message?: string;
    /** Kafka's own word, when a broker answered with an error. */
    readonly type?: string;
  };
  const words: Record<string, FollowerFault> = {
    KafkaJSRequestTimeoutError: "stalled",
    KafkaJSSASLAuthenticationError: "unauthorized",
    TOPIC_AUTHORIZATION_FAILED: "unauthorized",
    UNKNOWN_TOPIC_OR_PARTITION: "bad_answer",
    OFFSET_OUT_OF_RANGE: "gap",
  };
  return new ConnectionFault(words[type ?? ""] ?? words[name] ?? "refused", message);
}
