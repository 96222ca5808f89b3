/**
 * Signed notices: what an operator says to homes over the air. Anybody can send to a multicast group;
 * a notice counts only with the signature of a key that the box was given, once, and for its time.
 *
 * @module
 */
export {
  formatPublicKey,
  generateKeys,
  parsePublicKey,
  type PublicKey,
  readSigner,
  type Signer,
} from "./keys.ts";
export {
  type Notice,
  noticeMediaType,
  noticeUri,
  openNotice,
  sealNotice,
  type Withdrawals,
} from "./notice.ts";
export { NoticeKeeper, type NoticeOutcome, type TrustState } from "./keeper.ts";
