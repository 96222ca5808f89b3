/**
 * Buckets of S3 and what speaks its protocol as next hops.
 *
 * @module
 */
export { CredentialsFile, parseCredentials, type S3Credentials } from "./credentials.ts";
export { parseLocation, type S3Location, type S3Target, s3Target } from "./object_path.ts";
export { s3NextHop, type S3NextHopOptions } from "./s3_next_hop.ts";
export { type Signable, signedFields, type SigningContext } from "./signer.ts";
