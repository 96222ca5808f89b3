/**
 * Settings from flags, environment and config file, in that order of precedence, all made from one
 * parameter table. Pure: the caller brings the arguments, the environment and a way to read a file.
 *
 * @module
 */

import { BadValue, type Parameter, type ParameterTable, type Settings } from "./parameter.ts";

/** What a program was started with. */
export interface Invocation {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Reads the file that `--config` names. */
  readonly readFile: (path: string) => string;
}

/** Settings that were read, a request for help, version or licences, or the one sentence that says why not. */
export type Reading<Table extends ParameterTable> =
  | { readonly kind: "settings"; readonly settings: Settings<Table> }
  | { readonly kind: "help" }
  | { readonly kind: "version" }
  | { readonly kind: "licenses" }
  | { readonly kind: "refused"; readonly sentence: string };

/** Where a written value came from, so that a refusal can name it. */
interface Written {
  readonly from: string;
  readonly values: readonly string[];
}

/** Returns the flag of a setting: `cacheSize` -> `--cache-size`. */
export function flagName(setting: string): string {
  return `--${setting.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** Returns the environment variable of a setting: `cacheSize` -> `DOWNLINK_CACHE_SIZE`. */
export function variableName(setting: string): string {
  return `DOWNLINK_${flagName(setting).slice(2).replaceAll("-", "_").toUpperCase()}`;
}

/** Returns the key of a setting in the config file: `cacheSize` -> `cache-size`. */
export function fileKey(setting: string): string {
  return flagName(setting).slice(2);
}

/** Reads the settings of a program; never throws. */
export function readSettings<const Table extends ParameterTable>(
  table: Table,
  invocation: Invocation,
): Reading<Table> {
  try {
    const flags = readFlags(table, invocation.args);
    if (flags.has("help")) return { kind: "help" };
    if (flags.has("version")) return { kind: "version" };
    if (flags.has("licenses")) return { kind: "licenses" };
    const file = readConfigFile(
      table,
      flags.get("config") ?? fromEnvironment("config", invocation),
      invocation,
    );
    const settings: Record<string, unknown> = {};
    for (const [name, parameter] of Object.entries(table)) {
      const written = flags.get(name) ?? fromEnvironment(name, invocation) ?? file.get(name);
      settings[name] = readOne(name, parameter, written);
    }
    return { kind: "settings", settings: settings as Settings<Table> };
  } catch (error) {
    if (error instanceof BadValue) return { kind: "refused", sentence: error.message };
    throw error;
  }
}

function readFlags(table: ParameterTable, args: readonly string[]): Map<string, Written> {
  const byFlag = new Map(Object.keys(table).map((name) => [flagName(name), name]));
  byFlag.set("--config", "config");
  const flags = new Map<string, Written>();
  for (let at = 0; at < args.length; at++) {
    const [, flag, inline] = /^(--[a-z0-9-]+|-h|-V)(?:=([\s\S]*))?$/.exec(args[at]) ?? [];
    if (flag === "--help" || flag === "-h") flags.set("help", { from: flag, values: [] });
    else if (flag === "--version" || flag === "-V") {
      flags.set("version", { from: flag, values: [] });
    } else if (flag === "--licenses") {
      flags.set("licenses", { from: flag, values: [] });
    } else {
      const name = flag && byFlag.get(flag);
      if (!name) {
        throw new BadValue(
          `Cannot start: need a flag that --help lists: received ${args[at]}${
            suggest(args[at], byFlag)
          }`,
        );
      }
      const value = inline ?? args[++at];
      if (value === undefined) {
        throw new BadValue(`Cannot use ${flag}: need a value after it: received nothing`);
      }
      flags.set(name, { from: flag, values: [...(flags.get(name)?.values ?? []), value] });
    }
  }
  return flags;
}

/** Names the flag that a mistyped one most resembles, when one is near. */
function suggest(given: string, byFlag: ReadonlyMap<string, string>): string {
  const near = [...byFlag.keys()].filter((flag) => distance(given.split("=")[0], flag) <= 2);
  return near.length === 0 ? "" : ` (did you mean ${near[0]}?)`;
}

/** Levenshtein distance. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      next[j] = Math.min(change, row[j] + 1, next[j - 1] + 1);
    }
    row = next;
  }
  return row[b.length];
}

function fromEnvironment(name: string, { env }: Invocation): Written | undefined {
  const variable = variableName(name);
  const value = env[variable];
  return value === undefined || value === "" ? undefined : { from: variable, values: [value] };
}

function readConfigFile(
  table: ParameterTable,
  written: Written | undefined,
  { readFile }: Invocation,
): Map<string, Written> {
  const values = new Map<string, Written>();
  if (written === undefined) return values;
  const path = written.values[written.values.length - 1];
  const document = parseObject(path, readFile);
  const byKey = new Map(Object.keys(table).map((name) => [fileKey(name), name]));
  for (const [key, value] of Object.entries(document)) {
    const name = byKey.get(key);
    if (name === undefined) {
      throw new BadValue(
        `Cannot use ${path}: need keys that --help lists, without the dashes: received ${key}`,
      );
    }
    const items = Array.isArray(value) ? value : [value];
    if (!items.every((item) => ["string", "number", "boolean"].includes(typeof item))) {
      throw new BadValue(
        `Cannot use ${path}: ${key} needs a text, a number or a list of them: received ${
          JSON.stringify(value)
        }`,
      );
    }
    values.set(name, { from: `${path}: ${key}`, values: items.map(String) });
  }
  return values;
}

function parseObject(path: string, readFile: (path: string) => string): Record<string, unknown> {
  let document: unknown;
  try {
    document = JSON.parse(readFile(path));
  } catch (error) {
    throw new BadValue(
      `Cannot read ${path}: need a JSON file: received ${(error as Error).message}`,
    );
  }
  if (typeof document !== "object" || document === null || Array.isArray(document)) {
    throw new BadValue(
      `Cannot use ${path}: need one JSON object: received ${
        JSON.stringify(document)?.slice(0, 60)
      }`,
    );
  }
  return document as Record<string, unknown>;
}

function readOne<T>(
  name: string,
  parameter: Parameter<T>,
  written: Written | undefined,
): T | undefined {
  const values = written?.values ?? (parameter.default === undefined ? [] : [parameter.default]);
  if (values.length === 0) return undefined;
  try {
    if (parameter.repeats) {
      return values.flatMap((value) => parameter.read(value) as unknown[]) as T;
    }
    return parameter.read(values[values.length - 1]);
  } catch (error) {
    if (error instanceof BadValue) {
      throw new BadValue(`Cannot use ${written?.from ?? flagName(name)}: ${error.message}`);
    }
    throw error;
  }
}
