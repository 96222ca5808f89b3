/**
 * The shared HTTP cache (RFC 9111): one engine for edge, shield and set-top box, and its stores.
 *
 * @module
 */
export type { CommitRefusal } from "./admission.ts";
export type { CacheAnswer } from "./answer.ts";
export { type DiskFault, type DiskFaultReason, DiskReadError } from "./disk_fault.ts";
export { type DiskStore, type DiskStoreOptions, openDiskStore } from "./disk_store.ts";
export { CacheEngine, type CacheEngineOptions, type HitOptions } from "./engine.ts";
export type { CacheRequest, RespondOptions } from "./exchange.ts";
export type { FastHit } from "./fast_hit.ts";
export { cacheHandler, type FrontEnv, requestHead, toResponse } from "./hono.ts";
export { cacheKey, requestKey } from "./key.ts";
export { memoryEntry, type MemoryStore, memoryStore } from "./memory_store.ts";
export {
  type NextHop,
  NextHopError,
  type NextHopFailure,
  type NextHopRequest,
  type NextHopResponse,
} from "./next_hop.ts";
export type { Fill, OpenFillOptions } from "./opened_fill.ts";
export type { AnswerResult, ByteRoad, CacheOutcome } from "./outcome.ts";
export { type CachePolicy, defaultPolicy } from "./policy.ts";
export { noPurges, type Purges, type PurgeSubject, type PurgeVerdict } from "./purges.ts";
export { S3Fifo } from "./s3_fifo.ts";
export { purgeSubject } from "./slices.ts";
export type { NotStorable } from "./storable.ts";
export { storedResponse } from "./disk_head.ts";
export type { Recall, Recalled, Store, StoredEntry, StoredResponse, StoreWriter } from "./store.ts";
export { variantKey } from "./vary.ts";
export { tagsOf } from "./tags.ts";
export {
  openTieredStore,
  type TieredStore,
  type TieredStoreOptions,
  type TierFill,
} from "./tiered_store.ts";
export { untoldTag } from "./vouched.ts";
