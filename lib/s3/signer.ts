/**
 * AWS Signature Version 4 for requests without a body, by the signer of the AWS SDK.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { createHash, createHmac, type Hash, type Hmac } from "node:crypto";
import { SignatureV4 } from "@smithy/signature-v4";
import type { Field } from "#http";
import type { S3Credentials } from "./credentials.ts";
import type { S3Target } from "./object_path.ts";

/** What is signed. */
export interface Signable {
  readonly method: string;
  /** Authority as it goes into `Host`. */
  readonly host: string;
  readonly target: S3Target;
  readonly fields: readonly Field[];
}

/** How. */
export interface SigningContext {
  readonly region: string;
  readonly credentials: S3Credentials;
  /** The clock of the server, as far as it is known. */
  readonly date: Date;
}

/** SHA-256 and its HMAC as the signer wants them. */
class Sha256 {
  #hash: Hash | Hmac;
  readonly #start: () => Hash | Hmac;

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#start = () =>
      secret === undefined ? createHash("sha256") : createHmac("sha256", secret as Uint8Array);
    this.#hash = this.#start();
  }

  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(data instanceof ArrayBuffer ? Buffer.from(data) : data as Uint8Array);
  }

  digest(): Promise<Uint8Array> {
    return Promise.resolve(new Uint8Array(this.#hash.digest()));
  }

  reset(): void {
    this.#hash = this.#start();
  }
}

/** Returns the fields of a signed request, without `Host`. */
export async function signedFields(
  { method, host, target: { path, query }, fields }: Signable,
  { region, credentials, date }: SigningContext,
): Promise<Field[]> {
  const signer = new SignatureV4({
    service: "s3",
    region,
    credentials,
    sha256: Sha256,
    uriEscapePath: false, // S3 signs the path as it stands on the wire
    applyChecksum: false,
  });
  const signed = await signer.sign({
    method,
    protocol: "https:",
    hostname: host,
    path,
    query,
    headers: {
      ...Object.fromEntries(fields),
      host,
      "x-amz-content-sha256": "UNSIGNED-PAYLOAD",
    },
  }, { signingDate: date });
  return Object.entries(signed.headers).filter(([name]) => name !== "host")
    .map(([name, value]): Field => [name.toLowerCase(), value]);
}
