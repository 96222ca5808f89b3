/**
 * The edge's parameters.
 *
 * @module
 */

import { type Introduction, list, optional, url } from "#config";
import { cacheNodeParameters } from "#proxy";

/** One row a parameter. */
export const parameters = {
  upstream: optional(
    list(url(undefined, "Next hops in order, tried after the shields that control knows.")),
  ),
  ...cacheNodeParameters("edge", "127.0.0.1:8080", "127.0.0.1:9080"),
};

/** What `--help` says above the table. */
export const introduction: Introduction = {
  program: "edge",
  summary:
    "A caching reverse proxy near the homes. One fetch for each object, whoever asks; a purge " +
    "that it has applied is never undone by a slower shield.",
  examples: [
    {
      command: "downlink-edge --upstream http://shield:8081",
      does: "Runs alone in front of one shield, or of any HTTP server.",
    },
    {
      command: "downlink-edge --control http://control:9000 --data /var/lib/downlink/edge",
      does: "Takes its shields and its purges from control.",
    },
  ],
};
