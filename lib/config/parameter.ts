/**
 * One parameter of a program: its flag, environment variable, config key and `--help` line are all
 * made from this one description.
 *
 * @module
 */

/** A value that cannot be used; the message completes "Cannot use --flag: ". */
export class BadValue extends Error {
  override name = "BadValue";
}

/** A parameter of type `T`. */
export interface Parameter<T> {
  /** What the value looks like in `--help`, for example `SIZE`. */
  readonly form: string;
  /** The default as a user would write it; `undefined` when the parameter may be absent. */
  readonly default: string | undefined;
  /** One sentence: what it does, with its unit and range. */
  readonly help: string;
  /** Reads one written value. Throws {@link BadValue} with "need: received what". */
  readonly read: (text: string) => T;
  /** Whether it may be given several times; `T` is then an array and each value is read alone. */
  readonly repeats: boolean;
}

/** The parameter table of a program, keyed by setting name in camelCase. */
// deno-lint-ignore no-explicit-any -- the value type differs from row to row
export type ParameterTable = Readonly<Record<string, Parameter<any>>>;

/** The settings that a table describes. */
export type Settings<Table extends ParameterTable> = {
  readonly [Name in keyof Table]: Table[Name] extends Parameter<infer T> ? T : never;
};

function parameter<T>(
  form: string,
  read: (text: string) => T,
  fallback: string | undefined,
  help: string,
): Parameter<T> {
  return { form, read, default: fallback, help, repeats: false };
}

/** What was received, so that one sees it when it is nothing or more than a line. */
function quoted(value: string): string {
  return value === "" || /[\s\p{Cc}]/u.test(value) ? JSON.stringify(value) : value;
}

/** Makes a parameter that may be absent. */
export function optional<T>(of: Parameter<T>): Parameter<T | undefined> {
  return { ...of, default: undefined };
}

/** Makes a parameter whose value is a list: repeated flags, or one value with commas. */
export function list<T>(of: Parameter<T>): Parameter<readonly T[]> {
  const read = (text: string) => text.split(",").map((part) => of.read(part.trim()));
  return { ...of, form: `${of.form}[,${of.form}]`, read, repeats: true };
}

/** Any non-empty text. */
export function text(fallback: string | undefined, help: string, form = "TEXT"): Parameter<string> {
  const read = (value: string) => {
    if (value === "") throw new BadValue(`need a text that is not empty: received ""`);
    return value;
  };
  return parameter(form, read, fallback, help);
}

/** A name that control and other nodes know a node or a group by: `edge-1`, `region.north`. */
export function name(fallback: string | undefined, help: string): Parameter<string> {
  const read = (value: string) => {
    if (/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(value)) return value;
    throw new BadValue(
      `need up to 64 letters, digits, dots, hyphens or underscores: received ${quoted(value)}`,
    );
  };
  return parameter("NAME", read, fallback, help);
}

/** A file or folder name. */
export function path(fallback: string | undefined, help: string, form = "PATH"): Parameter<string> {
  return text(fallback, help, form);
}

/** One of a few words. */
export function choice<const Word extends string>(
  words: readonly Word[],
  fallback: Word,
  help: string,
): Parameter<Word> {
  const read = (value: string) => {
    const word = words.find((one) => one === value);
    if (word === undefined) {
      throw new BadValue(`need ${words.join(" or ")}: received ${quoted(value)}`);
    }
    return word;
  };
  return parameter(words.join("|"), read, fallback, help);
}

/** A whole number within `range`. */
export function integer(
  fallback: string | undefined,
  help: string,
  range: { min: number; max: number },
): Parameter<number> {
  const read = (value: string) => {
    const number = /^\d{1,15}$/.test(value) ? Number(value) : NaN;
    if (!(number >= range.min && number <= range.max)) {
      throw new BadValue(
        `need a whole number from ${range.min} to ${range.max}: received ${quoted(value)}`,
      );
    }
    return number;
  };
  return parameter("N", read, fallback, help);
}

const byteUnits: Readonly<Record<string, number>> = {
  "": 1,
  B: 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
};

/** A size such as `256MiB` or `10GB`; the setting is in bytes, from 1 to 1024 TiB. */
export function bytes(fallback: string | undefined, help: string): Parameter<number> {
  const read = (value: string) => {
    const match = /^(\d{1,12}(?:\.\d{1,6})?)\s?([KMGT]iB|[kMGT]?B|)$/.exec(value);
    const size = match === null ? 0 : Math.floor(Number(match[1]) * byteUnits[match[2]]);
    if (!(size >= 1 && size <= 2 ** 50)) {
      throw new BadValue(
        `need a size such as 256MiB or 10GB, 1024TiB at most: received ${quoted(value)}`,
      );
    }
    return size;
  };
  return parameter("SIZE", read, fallback, help);
}

const bitUnits: Readonly<Record<string, number>> = { bit: 1, kbit: 1e3, Mbit: 1e6, Gbit: 1e9 };

/** A bit rate such as `61Mbit`; the setting is in bits per second and at least 1000. */
export function bitRate(fallback: string | undefined, help: string): Parameter<number> {
  const read = (value: string) => {
    const match = /^(\d{1,9}(?:\.\d{1,6})?)([kMG]?bit)(?:\/s)?$/.exec(value);
    const rate = match === null ? 0 : Number(match[1]) * bitUnits[match[2]];
    if (rate < 1000) {
      throw new BadValue(`need a rate such as 61Mbit, 1kbit at least: received ${quoted(value)}`);
    }
    return rate;
  };
  return parameter("RATE", read, fallback, help);
}

const timeUnits: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1e3,
  m: 60e3,
  h: 3600e3,
  d: 86400e3,
};

/** Longest time that a timer can wait, in milliseconds; a longer one would fire at once. */
const longestTimerMs = 2 ** 31 - 1;

/**
 * A duration such as `1500ms`, `30s` or `1h`; the setting is in milliseconds.
 *
 * @param range In milliseconds; the most that a timer can wait when no `max` is given.
 */
export function duration(
  fallback: string | undefined,
  help: string,
  { min = 0, max = longestTimerMs }: { readonly min?: number; readonly max?: number } = {},
): Parameter<number> {
  const read = (value: string) => {
    const match = /^(\d{1,9}(?:\.\d{1,6})?)(ms|s|m|h|d)$/.exec(value);
    if (match === null) {
      throw new BadValue(`need a time such as 500ms, 30s or 1h: received ${quoted(value)}`);
    }
    const ms = Number(match[1]) * timeUnits[match[2]];
    if (ms >= min && ms <= max) return ms;
    throw new BadValue(`need ${writtenRange(min, max)}: received ${value}`);
  };
  return parameter("TIME", read, fallback, help);
}

function writtenRange(min: number, max: number): string {
  const days = Math.floor(max / timeUnits.d);
  return min > 0 ? `a time from ${min}ms to ${days}d` : `a time of ${days}d at most`;
}

/** An absolute URL with one of `schemes` and no user, query or fragment. */
export function url(
  fallback: string | undefined,
  help: string,
  schemes: readonly string[] = ["http", "https"],
): Parameter<URL> {
  const read = (value: string) => {
    const parsed = URL.canParse(value) ? new URL(value) : undefined;
    const plain = parsed && !parsed.username && !parsed.search && !parsed.hash;
    if (!plain || !schemes.includes(parsed.protocol.slice(0, -1))) {
      throw new BadValue(
        `need a ${schemes.join(" or ")} URL without user, query or fragment: received ${
          quoted(value)
        }`,
      );
    }
    return parsed;
  };
  return parameter("URL", read, fallback, help);
}

/** A host and port to listen on or send to. */
export interface HostPort {
  /** Name or IP address, without the brackets of IPv6. */
  readonly hostname: string;
  /** 0 to 65535; 0 lets the system choose when listening. */
  readonly port: number;
}

/** `HOST:PORT`, IPv6 in brackets. */
export function hostPort(fallback: string | undefined, help: string): Parameter<HostPort> {
  const read = (value: string) => {
    const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:/[\]]+)):(\d{1,5})$/.exec(value);
    const port = Number(match?.[3]);
    if (match === null || port > 65535) {
      throw new BadValue(`need HOST:PORT such as 127.0.0.1:8080: received ${quoted(value)}`);
    }
    return { hostname: match[1] ?? match[2], port };
  };
  return parameter("HOST:PORT", read, fallback, help);
}

/** Writes a {@link HostPort} as `HOST:PORT`. */
export function formatHostPort({ hostname, port }: HostPort): string {
  return hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`;
}

/** Whether an address can be reached from this machine only. */
export function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "::1" || /^127(\.\d{1,3}){3}$/.test(hostname);
}

/** An IPv4 address in dotted form. */
export function ipv4(fallback: string | undefined, help: string): Parameter<string> {
  const read = (value: string) => {
    if (!isIpv4(value)) throw new BadValue(`need an IPv4 address: received ${value}`);
    return value;
  };
  return parameter("IP", read, fallback, help);
}

/** Whether a text is an IPv4 address in dotted form. */
export function isIpv4(text: string): boolean {
  const parts = text.split(".");
  return parts.length === 4 &&
    parts.every((part) => /^(?:0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256);
}
