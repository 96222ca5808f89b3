/**
 * Metrics.
 *
 * @module
 */
export { createMetrics, type Metrics, type Tally } from "./metrics.ts";
