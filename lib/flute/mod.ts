/**
 * FLUTE version 1 (RFC 3926, RFC 6726, ETSI TS 103 769 Annex F): files over ALC packets, both ends.
 * Codecs and state only: no sockets, no clock; the caller brings packets and the time.
 *
 * @module
 */
export type { FdtCacheControl, FdtDigests, FdtFile, FdtInstance } from "./fdt.ts";
export type { FluteObject } from "./object.ts";
export type {
  ContentRejection,
  DropReason,
  EndReason,
  FileRefusal,
  FillOutcome,
  FluteEvent,
  ReceiveOutcome,
  ReceivingObject,
} from "./events.ts";
export { defaultFluteLimits, type FluteLimits } from "./limits.ts";
export { FluteSender, type FluteSenderOptions } from "./sender.ts";
export { FluteReceiver, type FluteReceiverOptions } from "./receiver.ts";
