/**
 * The command line, read: a command, its flags, and what stands alone.
 *
 * @module
 */

/** A command line that cannot be used; the message is the one sentence to show. */
export class BadUsage extends Error {
  override name = "BadUsage";
}

/** One flag of a command. */
export interface Flag {
  /** What its value looks like; `undefined` for a flag that stands alone. */
  readonly value?: string;
  /** Whether it may be given several times. */
  readonly repeats?: boolean;
  readonly help: string;
}

/** The flags of a command, by name without the dashes. */
export type Flags = Readonly<Record<string, Flag>>;

/** What was written. */
export interface Arguments {
  /** Values by flag; a flag that stands alone has one empty value. */
  readonly given: ReadonlyMap<string, readonly string[]>;
  readonly operands: readonly string[];
}

/**
 * Reads what comes after a command.
 *
 * @throws {BadUsage}
 */
export function readArguments(args: readonly string[], flags: Flags): Arguments {
  const given = new Map<string, string[]>();
  const operands: string[] = [];
  for (let at = 0; at < args.length; at++) {
    if (!args[at].startsWith("-") || args[at] === "-") {
      operands.push(args[at]);
      continue;
    }
    const [, name, inline] = /^--([a-z-]+)(?:=([\s\S]*))?$/.exec(args[at]) ?? [];
    const flag = Object.hasOwn(flags, name ?? "") ? flags[name] : undefined;
    if (flag === undefined) {
      throw new BadUsage(`Cannot start: need a flag that --help lists: received ${args[at]}`);
    }
    const value = flag.value === undefined ? alone(name, inline) : inline ?? args[++at];
    if (value === undefined) {
      throw new BadUsage(`Cannot use --${name}: need ${flag.value} after it: received nothing`);
    }
    const values = given.get(name) ?? [];
    if (values.length > 0 && !flag.repeats) {
      throw new BadUsage(`Cannot use --${name}: need it once: received it twice`);
    }
    given.set(name, [...values, value]);
  }
  return { given, operands };
}

function alone(name: string, inline: string | undefined): string {
  if (inline === undefined) return "";
  throw new BadUsage(`Cannot use --${name}: need no value: received ${inline}`);
}

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/**
 * Reads a length of time (`500ms`, `30s`, `2m`, `1h`) in milliseconds.
 *
 * @throws {BadUsage}
 */
export function readTime(name: string, text: string): number {
  const [, digits, unit] = /^(\d{1,9})(ms|s|m|h)$/.exec(text) ?? [];
  if (digits !== undefined) return Number(digits) * unitMs[unit];
  throw new BadUsage(`Cannot use --${name}: need a time like 500ms, 30s or 2m: received ${text}`);
}
