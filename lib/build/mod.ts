/**
 * What a binary says of itself: version, commit, and the licences of what is in it.
 *
 * @module
 */
export { buildText, version } from "./version.ts";
export { readNotices } from "./notices.ts";
