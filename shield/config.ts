/**
 * The shield's parameters.
 *
 * @module
 */

import { type Introduction, list, url } from "#config";
import { cacheNodeParameters } from "#proxy";

/** One row a parameter. */
export const parameters = {
  origin: list(
    url("http://127.0.0.1:8000", "Origins in order; the next is asked when one gives no answer."),
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
      command: "downlink-shield --origin http://origin:8000 --control http://control:9000",
      does: "Follows control's purge log, and is found there by edges.",
    },
  ],
};
