/**
 * Token buckets: limits by client, token, class of paths and node, in this node alone or leased from
 * what all nodes share.
 *
 * @module
 */
export {
  Admission,
  type AdmissionOptions,
  type PolicyCount,
  type Refusal,
  refusal,
  type ShareBuckets,
} from "./admission.ts";
export { type Buckets, type Subject, subjectOf } from "./bucket.ts";
export { BucketTable } from "./bucket_table.ts";
export { drained, type Limit, limitOf, type Rate, roomFor, waitUs } from "./gcra.ts";
export { type BucketPolicy, classOf, rateOf } from "./policy.ts";
export { rateLimitFields, retryAfterSeconds, type Standing } from "./rate_limit_fields.ts";
export {
  LeaseLink,
  type LeaseLinkOptions,
  type LeaseState,
  type RedisFault,
} from "./lease_link.ts";
export { LeaseBook, type LeaseBookOptions, type LeaseCall } from "./lease_book.ts";
export { type LeaseAnswer } from "./lease_script.ts";
export { type LeaseTimes, leaseTimes } from "./lease_times.ts";
export { type RedisPlace } from "./redis_client.ts";
