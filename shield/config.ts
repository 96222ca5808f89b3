/**
 * The shield's parameters.
 *
 * @module
 */

import { type Introduction, list, optional, path, text, url } from "#config";
import { cacheNodeParameters } from "#proxy";

/** One row a parameter. */
export const parameters = {
  origin: list(
    url(
      "http://127.0.0.1:8000",
      "Origins in order, also s3://BUCKET[/PREFIX]; the next is asked when one gives no answer.",
      ["http", "https", "s3"],
    ),
  ),
  s3Endpoint: optional(
    url(undefined, "Where buckets are; default: https://s3.REGION.amazonaws.com."),
  ),
  s3Region: text("us-east-1", "Region that requests to buckets are signed for.", "REGION"),
  s3Credentials: optional(
    path(
      undefined,
      "File with aws_access_key_id and aws_secret_access_key, needed with s3:// origins; read " +
        "again when it changes.",
      "FILE",
    ),
  ),
  ...cacheNodeParameters("shield", "127.0.0.1:8081", "127.0.0.1:9081"),
};

/** What `--help` says above the table. */
export const introduction: Introduction = {
  program: "shield",
  summary:
    "A caching reverse proxy in front of an origin: all edges together fetch each object from " +
    "the origin once.",
  examples: [
    {
      command: "downlink-shield --origin http://origin:8000",
      does: "Runs alone in front of one origin.",
    },
    {
      command: "downlink-shield --origin s3://films/vod --s3-endpoint http://s3:9000 " +
        "--s3-credentials /etc/downlink/s3",
      does: "Runs in front of a bucket; requests to it are signed.",
    },
    {
      command: "downlink-shield --origin http://origin:8000 --control http://control:9000",
      does: "Follows control's purge log, and is found there by edges.",
    },
  ],
};
