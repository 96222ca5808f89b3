/** Transport object identifier: a number when safe (below 2^53), else a bigint. */
export type Toi = number | bigint;
export type LctRejection =
  | "truncated"
  | "bad_version"
  | "header_too_short"
  | "header_overrun"
  | "bad_extension";
