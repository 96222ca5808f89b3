/**
 * A strict and bounded HTTP/1.1 server over `Deno.listen`, with a fast lane for answers that are
 * ready and a `Request`/`Response` lane for all others.
 *
 * @module
 */
export { type BodyDecoder, type BodyStep, ChunkedDecoder } from "./body_decoder.ts";
export { clientOf } from "./client_counts.ts";
export { type BodyFailure, type CloseReason, type Http1Event } from "./event.ts";
export {
  type ExchangeEnv,
  type FastAnswer,
  type FastLane,
  type Handler,
  type JoinedAnswer,
  type Writers,
} from "./exchange.ts";
export { defaultLimits, type Http1Limits } from "./limits.ts";
export { HeadParser, type ParsedHead } from "./head_parser.ts";
export { type Http1Rejection, rejectionStatus } from "./rejection.ts";
export { encodeHead } from "./response_head.ts";
export { type Http1Server, serve, type ServeOptions } from "./server.ts";
export { BadCertificate, type TlsMaterial } from "./tls.ts";
