/**
 * Why the front refuses a request. What could be read in two ways is refused, and the connection
 * closed, so that no hop behind us can read it the other way.
 *
 * @module
 */

/** The status each rejection is answered with. The words are metric labels. */
export const rejectionStatus = {
  bad_request_line: 400,
  bad_method: 400,
  bad_target: 400,
  bad_version: 400,
  bare_cr: 400,
  bare_lf: 400,
  obs_fold: 400,
  space_before_colon: 400,
  bad_field_name: 400,
  bad_field_value: 400,
  host_missing: 400,
  host_repeated: 400,
  host_invalid: 400,
  host_mismatch: 400,
  length_invalid: 400,
  length_repeated: 400,
  length_with_coding: 400,
  coding_repeated: 400,
  coding_on_http10: 400,
  chunk_size_invalid: 400,
  chunk_extension_invalid: 400,
  chunk_end_invalid: 400,
  trailer_invalid: 400,
  head_timeout: 408,
  body_timeout: 408,
  body_too_large: 413,
  target_too_long: 414,
  expectation_unknown: 417,
  head_too_large: 431,
  field_too_large: 431,
  too_many_fields: 431,
  chunk_extension_too_long: 431,
  trailer_too_large: 431,
  method_not_served: 501,
  coding_unknown: 501,
  version_not_supported: 505,
} as const satisfies Record<string, number>;

/** Why a request was refused. */
export type Http1Rejection = keyof typeof rejectionStatus;
