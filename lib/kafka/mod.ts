/**
 * The purge log in Apache Kafka: one topic with one partition, whose offsets are its sequence numbers.
 * kafkajs is loaded when Kafka is used, and not before.
 *
 * @module
 */
export { KafkaAppender, type KafkaAppenderOptions, NotAppended } from "./appender.ts";
export { kafkaLog, type LifeListener } from "./log.ts";
export { encodeMark, encodePurge, type LogLife } from "./message.ts";
export { type PurgeLogChoice, purgeLogParameters, readKafka } from "./parameters.ts";
export type { KafkaOptions, KafkaSasl } from "./options.ts";
export { type NewTopic, openTopic, type TopicState } from "./topic.ts";
