/**
 * Log lines: JSON for machines, aligned text on a terminal.
 *
 * @module
 */

/** How loud a line is. */
export type Level = "debug" | "info" | "warn" | "error";

/** What a line may carry beside its message; an `Error` is written as its message. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Writes log lines for one program. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

/** Where lines go and which are written. */
export interface LoggerOptions {
  readonly program: string;
  /** `text` for people, `json` for machines. */
  readonly format: "json" | "text";
  /** The quietest level that is written. */
  readonly level: Level;
  readonly write: (line: string) => void;
  readonly nowMs: () => number;
}

const rank: Readonly<Record<Level, number>> = { debug: 0, info: 1, warn: 2, error: 3 };

/** Makes a logger. */
export function createLogger(options: LoggerOptions): Logger {
  const format = options.format === "json" ? jsonLine : textLine;
  const at = (level: Level) => (message: string, fields: LogFields = {}) => {
    if (rank[level] < rank[options.level]) return;
    const time = new Date(options.nowMs()).toISOString();
    options.write(format({ time, level, program: options.program, message }, fields) + "\n");
  };
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}

interface LineHead {
  readonly time: string;
  readonly level: Level;
  readonly program: string;
  readonly message: string;
}

function jsonLine(head: LineHead, fields: LogFields): string {
  return JSON.stringify({ ...fields, ...head }, (_, value) => plain(value));
}

function textLine({ time, level, program, message }: LineHead, fields: LogFields): string {
  const rest = Object.entries(fields).map(([name, value]) => {
    const text = typeof value === "string" ? value : JSON.stringify(plain(value));
    return ` ${name}=${/^[^\s"=]+$/.test(text ?? "") ? text : JSON.stringify(text)}`;
  });
  return `${time.slice(11, 23)} ${level.padEnd(5)} ${program.padEnd(8)} ${message}${rest.join("")}`;
}

/** Turns what JSON cannot carry into text. */
function plain(value: unknown): unknown {
  if (value instanceof Error) return value.message;
  if (typeof value === "bigint") return value.toString();
  return value;
}
