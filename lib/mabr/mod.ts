/**
 * DVB-MABR (ETSI TS 103 769): the document that tells a multicast gateway what is sent where.
 *
 * @module
 */
export { encodeGatewayConfiguration, type EncodeOptions } from "./encode.ts";
export * from "./model.ts";
export {
  type MabrRejection,
  type MabrRemark,
  type MabrSkipReason,
  type ParsedGatewayConfiguration,
  parseGatewayConfiguration,
} from "./parse.ts";
export { escapePathPattern, matchesPathPattern } from "./path_pattern.ts";
export { formatDuration, parseDuration, parseTimePoint } from "./time.ts";
