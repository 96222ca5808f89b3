/**
 * What all programs share: settings, admin port, readiness, draining.
 *
 * @module
 */
export { adminApp, type AdminOptions } from "./admin.ts";
export { frontLimitParameters, frontLimitsOf } from "./front_limits.ts";
export { frontMetrics } from "./front_metrics.ts";
export { guard, type GuardOptions } from "./guard.ts";
export { joinControl, type NodeLink, type NodeLinkOptions } from "./node_link.ts";
export {
  commonParameters,
  listen,
  type Program,
  type ProgramContext,
  runProgram,
} from "./program.ts";
export { ProcessLoad } from "./process_load.ts";
export { readPem, readTls, tlsParameters } from "./tls_files.ts";
export { folderReader, type ReadFile, serveFile } from "./static_files.ts";
export { readTokenFile } from "./token_file.ts";
export { target } from "./target_parameter.ts";
