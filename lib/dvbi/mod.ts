/**
 * DVB-I (ETSI TS 103 770): the list that tells receivers which services there are and how to get them.
 *
 * @module
 */
export { encodeServiceList } from "./encode.ts";
export * from "./model.ts";
export {
  type DvbiRejection,
  type DvbiRemark,
  type DvbiSkipReason,
  type ParsedServiceList,
  parseServiceList,
} from "./parse.ts";
