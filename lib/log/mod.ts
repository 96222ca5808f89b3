/**
 * Logging.
 *
 * @module
 */
export {
  createLogger,
  type Level,
  type LogFields,
  type Logger,
  type LoggerOptions,
} from "./logger.ts";
