/**
 * FEC building block (RFC 5052, RFC 5445): how an object is cut into symbols, and how packets name
 * them. Pure.
 *
 * @module
 */
export { erasureCodes } from "./built_schemes.ts";
export {
  type ErasureCode,
  type RepairSource,
  type RepairSymbol,
  type SourceBlock,
} from "./erasure_code.ts";
export { decodeFti, encodeFti } from "./fti.ts";
export { fecEncodingIds, type FecOti } from "./oti.ts";
export {
  blockBytes,
  blockOf,
  blockSymbols,
  type Partition,
  partition,
  partitionOf,
  type PartitionRejection,
  symbolIndex,
} from "./partition.ts";
export { decodePayloadId, emptyPayloadId, type PayloadId, writePayloadId } from "./payload_id.ts";
export { raptorQOti } from "./raptorq/oti.ts";
export { defaultBlockSymbols, reedSolomonOti } from "./reed_solomon/oti.ts";
