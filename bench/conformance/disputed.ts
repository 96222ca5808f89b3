/**
 * The cases of the public suite that our edge does not pass, each with the reason. The test of this folder
 * has exactly these fail.
 *
 * @module
 */

const age =
  "an Age that cannot be read is ignored, and of several the first counts (RFC 9111 §5.1): " +
  "later editions of the suite want that too, or only look";
const gone =
  "wants the origin's answer when the origin has hung up: later editions take any answer " +
  "that is not from the cache, as our 502";
const short =
  "the origin of the case says bytes 4-9 and sends five: a body that is not whole is not kept";

/** Why a case fails, by its id. */
export const disputed: Readonly<Record<string, string>> = {
  "age-parse-nonnumeric": age,
  "age-parse-negative": age,
  "age-parse-float": age,
  "age-parse-prefix-twoline": age,
  "age-parse-dup-0": age,
  "age-parse-dup-0-twoline": age,
  "age-parse-dup-old": age,
  "age-parse-parameter": age,
  "age-parse-numeric-parameter": age,
  "stale-close-must-revalidate": gone,
  "stale-close-proxy-revalidate": gone,
  "stale-close-no-cache": gone,
  "stale-close-s-maxage=2": gone,
  "headers-store-Transfer-Encoding":
    "a coding that nobody knows cannot be taken off (RFC 9112 §7): 502, as from Squid and Varnish",
  "partial-store-partial-reuse-partial": short,
  "partial-store-partial-reuse-partial-byterange": short,
  "partial-store-partial-reuse-partial-absent": short,
  "partial-store-partial-reuse-partial-suffix": short,
  "partial-store-partial-complete":
    "parts are put together by a strong validator only (RFC 9111 §3.4), and the origin gives none",
  "conditional-lm-fresh-no-lm":
    "without Last-Modified the Date counts (RFC 9111 §4.3.2), and the case asks since a time before it",
  "vary-normalise-lang-select":
    "fields match if and only if they mean the same (RFC 9111 §4.1), and these languages do not",
};
