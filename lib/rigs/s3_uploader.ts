/**
 * Signed requests to a bucket of the test server as an uploader makes them.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Field } from "#http";
import { s3Target, signedFields } from "#s3";
import type { S3Server } from "./s3_server.ts";

/** What goes with a request. */
export interface UploadOptions {
  readonly fields?: readonly Field[];
  readonly body?: Uint8Array<ArrayBuffer> | string;
  readonly query?: Readonly<Record<string, string>>;
}

/** An answer, read. */
export interface UploadAnswer {
  readonly headers: Headers;
  readonly text: string;
}

/** Makes an uploader for one bucket; the key `""` is the bucket itself. */
export function s3Uploader(
  { endpoint, accessKeyId, secretAccessKey }: S3Server,
  bucket: string,
): (method: string, key: string, options?: UploadOptions) => Promise<UploadAnswer> {
  return async (method, key, { fields = [], body, query = {} } = {}) => {
    const path = key === "" ? `/${bucket}` : s3Target({ bucket, prefix: "" }, key)!.path;
    const credentials = { accessKeyId, secretAccessKey };
    const signed = await signedFields(
      { method, host: endpoint.host, fields, target: { path, query } },
      { region: "us-east-1", credentials, date: new Date() },
    );
    const headers = signed.map(([name, value]): [string, string] => [name, value]);
    const search = new URLSearchParams(query).toString();
    const url = `${endpoint.origin}${path}${search && "?"}${search}`;
    const response = await fetch(url, { method, headers, body });
    const text = await response.text();
    assert.ok(response.ok, `${method} ${key}: ${response.status} ${text}`);
    return { headers: response.headers, text };
  };
}
