/**
 * Purges: records of an ordered log, the index that is asked at lookup, and how a node follows the
 * log.
 *
 * @module
 */
export {
  type LogEntry,
  maxValueLength,
  type NewPurge,
  parseLogEntry,
  type PurgeKind,
  purgeKinds,
  type PurgeRecord,
  type SkippedSeqs,
} from "./record.ts";
export { purgeSeq, takeValidSeq } from "./fence.ts";
export type { PurgeLog } from "./log.ts";
export type { Mark, MarkRow } from "./marks.ts";
export {
  type ApplyOutcome,
  type Doubt,
  PurgeIndex,
  type PurgeIndexOptions,
  type PurgeIndexState,
  type PurgeSubject,
  type PurgeVerdict,
} from "./purge_index.ts";
export {
  maxOrderBytes,
  maxOrderValues,
  type OrderReading,
  type PurgeOrder,
  purgeOrderSchema,
  readOrder,
} from "./order.ts";
export { type CountedEntry, countHits, parsePurgeCount, type PurgeCount } from "./count.ts";
export { readValue, type ValueReading } from "./value.ts";
export type {
  FollowerFault,
  FollowerState,
  GapReason,
  PurgeFollowerOptions,
  StateFound,
} from "./follower_types.ts";
export { PurgeFollower } from "./follower.ts";
export { type ControlAddress, controlLog } from "./log_connection.ts";
export {
  ConnectionFault,
  type LogPlace,
  type LogSource,
  type OpenedLog,
  type OpenStream,
} from "./log_source.ts";
export { type ForwarderOptions, purgeForwarder } from "./forwarder.ts";
export type { StateKeeper, StateLoaded, StateToKeep } from "./state_file.ts";
export { type LogHead, parseLogHead } from "./stream.ts";
