/**
 * Buckets as origins, from the shield's settings.
 *
 * @module
 */

import { BadValue } from "#config";
import type { Logger } from "#log";
import type { Metrics } from "#metrics";
import type { BucketConnector } from "#proxy";
import { CredentialsFile, parseLocation, s3NextHop } from "#s3";

/** The settings that buckets are reached by. */
export interface BucketSettings {
  readonly origin: readonly URL[];
  readonly s3Endpoint: URL | undefined;
  readonly s3Region: string;
  readonly s3Credentials: string | undefined;
}

/**
 * Returns how buckets are reached, `undefined` when no origin is one.
 *
 * @throws {BadValue} When an origin names no bucket, or there are no credentials for it.
 */
export function bucketConnector(
  { origin, s3Endpoint, s3Region, s3Credentials }: BucketSettings,
  { metrics, log }: { metrics: Metrics; log: Logger },
): BucketConnector | undefined {
  const buckets = origin.filter(({ protocol }) => protocol === "s3:");
  for (const url of buckets) {
    if (parseLocation(url) !== undefined) continue;
    throw new BadValue(`Cannot use --origin: need s3://BUCKET[/PREFIX]: received ${url.href}`);
  }
  if (buckets.length === 0) return undefined;
  if (!/^[a-z0-9-]{1,64}$/.test(s3Region)) {
    throw new BadValue(`Cannot use --s3-region: need a region's name: received ${s3Region}`);
  }
  const credentials = openCredentials(s3Credentials);
  const endpoint = s3Endpoint ?? new URL(`https://s3.${s3Region}.amazonaws.com`);
  const refusals = metrics.counter(
    "shield_s3_refusals_total",
    "Requests that S3 refused for what we are or sent, by its error code.",
    ["code"],
  );
  return (url, connections) => {
    const location = parseLocation(url);
    if (location === undefined) throw new TypeError("unreachable");
    return s3NextHop({
      location,
      endpoint,
      region: s3Region,
      credentials: () => credentials.current,
      nowMs: Date.now,
      connections,
      onRefused: (code) => {
        refusals.inc({ code });
        log.debug("S3 refused a request", { bucket: location.bucket, code });
      },
    });
  };
}

function openCredentials(file: string | undefined): CredentialsFile {
  if (file === undefined) {
    throw new BadValue(
      "Cannot use --origin: need --s3-credentials with s3:// origins: received none",
    );
  }
  try {
    return new CredentialsFile(file);
  } catch (error) {
    throw new BadValue(`Cannot use --s3-credentials: ${(error as Error).message}`);
  }
}
