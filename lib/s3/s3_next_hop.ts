/**
 * A bucket as the next hop of a shield: requests are signed here, answers lose what is only S3's.
 *
 * @module
 */

import { NextHopError, type NextHopRequest, type NextHopResponse } from "#cache";
import { type Field, type Fields, fieldValue, parseHttpDate, readAtMost } from "#http";
import { type HttpNextHop, httpNextHop, type HttpNextHopOptions } from "#upstream";
import type { S3Credentials } from "./credentials.ts";
import { type S3Location, type S3Target, s3Target } from "./object_path.ts";
import { signedFields } from "./signer.ts";

/** How a bucket is reached. */
export interface S3NextHopOptions {
  readonly location: S3Location;
  /** Scheme and authority; the bucket is the first segment of the path. */
  readonly endpoint: URL;
  readonly region: string;
  /** Asked for each request. */
  readonly credentials: () => S3Credentials;
  readonly nowMs: () => number;
  /** Limits of the connections, and which certificates are believed. */
  readonly connections?: Omit<HttpNextHopOptions, "url">;
  /** Told the error code when S3 refuses us, not the object. Must not throw. */
  readonly onRefused?: (code: string) => void;
}

/** Request fields that mean the same to S3; everything else stays here, credentials above all. */
const forwarded: ReadonlySet<string> = new Set([
  "if-match",
  "if-modified-since",
  "if-none-match",
  "if-range",
  "if-unmodified-since",
  "range",
]);

/** Error codes that say of the object that it is not to be had. */
const absent: ReadonlySet<string> = new Set([
  "AccessDenied", // S3 says so of a missing key to who may not list
  "InvalidObjectState",
  "MethodNotAllowed", // a delete marker by its version
  "NoSuchKey",
  "NoSuchVersion",
  "InvalidArgument", // a malformed versionId
  "KeyTooLongError",
]);

/** Error documents above this are not read. */
const maxErrorBytes = 16 * 1024;

/** The user metadata that names surrogate keys. */
const surrogateKeyField = "x-amz-meta-surrogate-key";

/** Makes a next hop of a bucket. Only GET and HEAD of objects are ever signed. */
export function s3NextHop(options: S3NextHopOptions): HttpNextHop {
  const http = httpNextHop({ ...options.connections, url: options.endpoint });
  return new S3NextHop(options, http);
}

class S3NextHop implements HttpNextHop {
  readonly #options: S3NextHopOptions;
  readonly #http: HttpNextHop;
  /** How far the server's clock is ahead of ours, in milliseconds. */
  #skewMs = 0;

  constructor(options: S3NextHopOptions, http: HttpNextHop) {
    this.#options = options;
    this.#http = http;
  }

  close(): void {
    this.#http.close();
  }

  async fetch(request: NextHopRequest): Promise<NextHopResponse> {
    const { method, body } = request;
    if (method !== "GET" && method !== "HEAD") {
      await body?.cancel();
      return answer(405, [["allow", "GET, HEAD"]]);
    }
    const target = s3Target(this.#options.location, request.target);
    if (target === undefined) return answer(404);
    const response = await this.#send(request, target);
    if (isUsual(response.status)) return shown(response);
    return await this.#judge(request, target, response);
  }

  async #send(request: NextHopRequest, target: S3Target): Promise<NextHopResponse> {
    const { endpoint, region, credentials, nowMs } = this.#options;
    const { method, signal, appliedSeq } = request;
    const fields = request.fields.filter(([name]) => forwarded.has(name));
    const date = new Date(nowMs() + this.#skewMs);
    const signable = { method, host: endpoint.host, target, fields };
    const signed = await signedFields(signable, { region, credentials: credentials(), date });
    const query = Object.entries(target.query).map(([name, value]) =>
      `?${name}=${encodeURIComponent(value)}`
    );
    return await this.#http.fetch({
      method,
      target: target.path + query.join(""),
      fields: signed,
      signal,
      appliedSeq,
    });
  }

  /** What an error says: of the object, of our clock, or of us. */
  async #judge(
    request: NextHopRequest,
    target: S3Target,
    response: NextHopResponse,
    retried = false,
  ): Promise<NextHopResponse> {
    const { status } = response;
    const document = await readText(response);
    const code = /<Code>([A-Za-z0-9]{1,64})<\/Code>/.exec(document)?.[1];
    if (code === "RequestTimeTooSkewed" && !retried && this.#learnTime(response, document)) {
      const second = await this.#send(request, target);
      if (isUsual(second.status)) return shown(second);
      return await this.#judge(request, target, second, true);
    }
    if (code === undefined ? status === 404 || status === 403 : absent.has(code)) {
      if (status === 403) this.#options.onRefused?.(code ?? "403");
      return answer(404);
    }
    if (status === 412 || status === 416) return shown({ ...response, body: nothing() });
    if (status >= 500) return answer(status, retryAfter(response.fields));
    // 301 to another region, a wrong key, no such bucket: nothing that a client did.
    this.#options.onRefused?.(code ?? String(status));
    throw new NextHopError(
      "refused",
      `Cannot fetch from S3: need a bucket that answers us: received ${code ?? status}`,
    );
  }

  #learnTime({ fields }: NextHopResponse, document: string): boolean {
    const { nowMs } = this.#options;
    const told = /<ServerTime>([0-9TZ:.+-]{1,40})<\/ServerTime>/.exec(document)?.[1];
    const date = fieldValue(fields, "date");
    const serverMs = told === undefined
      ? date === undefined ? undefined : parseHttpDate(date, nowMs())
      : Date.parse(told);
    if (serverMs === undefined || Number.isNaN(serverMs)) return false;
    this.#skewMs = serverMs - nowMs();
    return true;
  }
}

function isUsual(status: number): boolean {
  return status === 200 || status === 206 || status === 304;
}

/** The answer without what names the bucket, its keys or its servers; with its surrogate keys. */
function shown(response: NextHopResponse): NextHopResponse {
  const fields = response.fields.filter(([name]) => !name.startsWith("x-amz-") && name !== "server")
    .filter(([name]) => name !== "x-rgw-object-type");
  const keys = fieldValue(response.fields, surrogateKeyField);
  return {
    ...response,
    fields: keys === undefined ? fields : [...fields, ["surrogate-key", keys]],
  };
}

function retryAfter(fields: Fields): Field[] {
  const value = fieldValue(fields, "retry-after");
  return value === undefined ? [] : [["retry-after", value]];
}

function answer(status: number, fields: readonly Field[] = []): NextHopResponse {
  return { status, fields: [...fields, ["content-length", "0"]], body: nothing() };
}

function nothing(): ReadableStream<Uint8Array> {
  return new ReadableStream({ start: (own) => own.close() });
}

async function readText({ body }: NextHopResponse): Promise<string> {
  const bytes = await readAtMost(body, maxErrorBytes).catch(() => undefined);
  return bytes === undefined ? "" : new TextDecoder().decode(bytes);
}
