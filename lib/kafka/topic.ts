/**
 * The purge topic: made when it is missing, and refused when it would lose purges.
 *
 * @module
 */

import type { Admin } from "kafkajs";
import type { KafkaOptions } from "./options.ts";

/** Longest message batch that control writes, with room to spare. */
const maxMessageBytes = 8 << 20;

/** Kafka's number for configuration of a topic. */
const topicResource = 2;

/** A topic as it was found or made. */
export interface TopicState {
  /** Why it cannot be the purge log, as "need: received what"; `undefined` when it can. */
  readonly problem: string | undefined;
  /** The offset of its next message. */
  readonly nextOffset: number;
  readonly empty: boolean;
}

/** How a topic is made. */
export interface NewTopic {
  readonly retentionMs: number;
  /** Copies; as many as the cluster's default when absent. */
  readonly replicas?: number;
}

/**
 * Makes the topic when it is missing, and looks at it.
 *
 * @throws {Error} When Kafka does not answer.
 */
export async function openTopic(
  options: KafkaOptions,
  { retentionMs, replicas = -1 }: NewTopic,
): Promise<TopicState> {
  const times = { connectMs: 3000, requestMs: 5000, retry: { retries: 2, initialRetryTime: 100 } };
  const { kafkaClient } = await import("./client.ts");
  const { kafka, end } = kafkaClient(options, times);
  const admin = kafka.admin();
  try {
    await admin.connect();
    const { topic } = options;
    if (!(await admin.listTopics()).includes(topic)) {
      const configEntries = [
        { name: "cleanup.policy", value: "delete" },
        { name: "retention.ms", value: String(retentionMs) },
        { name: "max.message.bytes", value: String(maxMessageBytes) },
      ];
      const made = { topic, numPartitions: 1, replicationFactor: replicas, configEntries };
      await admin.createTopics({ topics: [made], waitForLeaders: true });
    }
    const problem = await problemOf(admin, topic);
    const [{ low, high }] = await admin.fetchTopicOffsets(topic);
    return { problem, nextOffset: Number(high), empty: low === high };
  } finally {
    end();
    await admin.disconnect().catch(() => {});
  }
}

async function problemOf(
  admin: Admin,
  topic: string,
): Promise<string | undefined> {
  const { topics: [{ partitions }] } = await admin.fetchTopicMetadata({ topics: [topic] });
  if (partitions.length !== 1) {
    return `need one partition of ${topic}, which keeps the order: received ${partitions.length}`;
  }
  const policy = await cleanupPolicy(admin, topic);
  if (policy.includes("compact")) {
    return `need cleanup.policy=delete of ${topic}, as compaction loses purges: received ${policy}`;
  }
  return undefined;
}

/** The topic's policy; `delete` where who asks may not know it. */
async function cleanupPolicy(admin: Admin, topic: string): Promise<string> {
  try {
    const { resources: [{ configEntries }] } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: topicResource, name: topic, configNames: ["cleanup.policy"] }],
    });
    return configEntries[0]?.configValue ?? "delete";
  } catch (error) {
    if (/AUTHORIZATION_FAILED$/.test((error as { type?: string }).type ?? "")) return "delete";
    throw error;
  }
}
