/**
 * HTTP vocabulary shared by the front, the cache and the upstream client. No sockets, no clock.
 *
 * @module
 */
export { type Authority, parseAuthority, sameAuthority } from "./authority.ts";
export { readAtMost } from "./bounded_body.ts";
export { type CacheStatus, formatCacheStatus, type ForwardReason } from "./cache_status.ts";
export { formatHttpDate, parseHttpDate } from "./date.ts";
export {
  type EntityTag,
  formatEntityTag,
  parseEntityTag,
  parseEntityTags,
  strongMatch,
  weakMatch,
} from "./entity_tag.ts";
export { isFieldName, isFieldValue, isToken, listMembers, trimWhitespace } from "./field.ts";
export { connectionOptions, endToEnd, hopByHopFields } from "./hop_by_hop.ts";
export {
  type Field,
  type Fields,
  fieldValue,
  type RequestHead,
  type ResponseHead,
} from "./message.ts";
export {
  type ByteRange,
  type ContentRange,
  formatContentRange,
  formatUnsatisfiedRange,
  parseContentRange,
  parseRange,
} from "./range.ts";
export {
  type BareItem,
  type InnerList,
  type Item,
  item,
  type Member,
  type Parameters,
} from "./structured.ts";
export {
  formatBareItem,
  formatDictionary,
  formatList,
  formatMember,
  isStructuredToken,
} from "./structured_format.ts";
export { canonicalTarget } from "./target.ts";
export { parseDictionary, parseItem, parseList } from "./structured_parse.ts";
