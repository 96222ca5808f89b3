/**
 * `downlink-control token create|list|revoke`: tokens by command, on the folder of a control that runs
 * or not. So the first admin token is made by whoever can write that folder, and by nobody else.
 *
 * @module
 */

import {
  BadValue,
  duration,
  formatHelp,
  optional,
  type Parameter,
  type ParameterTable,
  path,
  readSettings,
  type Settings,
  text,
} from "#config";
import { Database } from "../database.ts";
import { type Scope, scopes } from "../api/operation.ts";
import { isTokenName, type Token, Tokens } from "./tokens.ts";

/** What a command printed, and its exit code: 0 done, 2 bad input. */
export interface CommandOutcome {
  readonly code: 0 | 2;
  readonly text: string;
}

const data = path("control-data", "Folder of control's data.", "DIR");

/** A name as purges show it as their issuer. */
function tokenName(help: string): Parameter<string> {
  const read = (value: string) => {
    if (isTokenName(value)) return value;
    throw new BadValue(`need up to 64 letters, digits or . _ : @ -: received ${value || '""'}`);
  };
  return { ...text(undefined, help, "NAME"), read };
}

function scopeList(help: string): Parameter<readonly Scope[]> {
  const read = (value: string) => {
    const words = [...new Set(value.split(",").map((word) => word.trim()))];
    const odd = words.find((word) => !scopes.includes(word as Scope));
    if (odd === undefined) return words as Scope[];
    throw new BadValue(
      `need ${scopes.join(", ")}, or several with commas: received ${odd || '""'}`,
    );
  };
  return { ...text(undefined, help), form: "SCOPE[,SCOPE]", read } as unknown as Parameter<
    readonly Scope[]
  >;
}

const tables = {
  create: {
    data,
    name: tokenName("Who will use it; the issuer of its purges."),
    scope: scopeList("What it may do: read, purge, admin (everything), node or box."),
    expires: optional(
      duration(undefined, "When it ends, from now; never by default.", {
        min: 1000,
        max: 3650 * 86_400e3,
      }),
    ),
  },
  list: { data },
  revoke: { data, id: text(undefined, "The id that `list` shows.", "ID") },
} as const;

/** Flags that have no default. */
const needed: Readonly<Record<Action, readonly string[]>> = {
  create: ["name", "scope"],
  list: [],
  revoke: ["id"],
};

const summaries = {
  create: "Makes a token and prints it, once.",
  list: "Lists the tokens without their secrets.",
  revoke: "Ends a token at once.",
};

const examples = {
  create: [{
    command: "downlink-control token create --data /var/lib/downlink --name ops --scope admin",
    does: "The first token; control refuses callers without one from then on.",
  }],
  list: [{
    command: "downlink-control token list --data /var/lib/downlink",
    does: "One line each.",
  }],
  revoke: [{
    command: "downlink-control token revoke --data /var/lib/downlink --id 0123456789ab",
    does: "Control knows at the next request.",
  }],
};

type Action = keyof typeof tables;

/** Runs the command that follows the word `token`. */
export function tokenCommand(
  args: readonly string[],
  { env, nowMs }: { env: Readonly<Record<string, string>>; nowMs: () => number },
): CommandOutcome {
  const [word = "", ...rest] = args;
  if (!(word in tables)) {
    const received = word || "nothing";
    return refuse(`Cannot manage tokens: need token create, list or revoke: received ${received}`);
  }
  const action = word as Action;
  const table: ParameterTable = tables[action];
  const readFile = (file: string) => Deno.readTextFileSync(file);
  const reading = readSettings(table, { args: rest, env, readFile });
  if (reading.kind === "refused") return refuse(reading.sentence);
  const missing = needed[action].find((name) =>
    reading.kind === "settings" &&
    (reading.settings as Settings<ParameterTable>)[name] === undefined
  );
  if (missing !== undefined) {
    return refuse(`Cannot ${action} a token: need --${missing}: received none`);
  }
  if (reading.kind !== "settings") {
    const introduction = { program: `control token ${action}`, summary: summaries[action] };
    return done(formatHelp({ ...introduction, examples: examples[action] }, table));
  }
  return run(action, reading.settings as Settings<typeof tables[Action]>, nowMs);
}

function run(action: Action, settings: Settings<ParameterTable>, nowMs: () => number) {
  let database: Database;
  const dir = String(settings.data);
  try {
    if (action === "create") Deno.mkdirSync(dir, { recursive: true, mode: 0o700 });
    else Deno.statSync(`${dir}/control.db`);
    database = new Database(`${dir}/control.db`);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return refuse(`Cannot use --data: need the folder of a control: received ${dir} (${reason})`);
  }
  try {
    const tokens = new Tokens(database, nowMs);
    if (action === "create") {
      return create(tokens, settings as Settings<typeof tables.create>, nowMs());
    }
    if (action === "list") return done(tokens.list().map((token) => line(token, nowMs())).join(""));
    return revoke(tokens, String(settings.id));
  } finally {
    database.close();
  }
}

function create(
  tokens: Tokens,
  { name, scope, expires }: Settings<typeof tables.create>,
  nowMs: number,
): CommandOutcome {
  const made = tokens.create({
    name,
    scopes: scope,
    expiresMs: expires === undefined ? null : nowMs + expires,
    createdBy: "command",
  });
  if (made.kind === "created") return done(`${made.secret}\n`);
  if (made.kind === "full") return refuse("Cannot make a token: need room: received one more");
  return refuse(`Cannot make a token: need a name that no token in force has: received ${name}`);
}

function revoke(tokens: Tokens, id: string): CommandOutcome {
  if (tokens.revoke(id)) return done(`revoked ${id}\n`);
  return refuse(`Cannot revoke: need the id of a token in force: received ${id.slice(0, 64)}`);
}

function line(token: Token, nowMs: number): string {
  const time = (ms: number | null, none: string) =>
    ms === null ? none : new Date(ms).toISOString().slice(0, 16) + "Z";
  const ended = token.expiresMs !== null && token.expiresMs <= nowMs;
  const state = token.revokedMs !== null ? "revoked" : ended ? "expired" : "in force";
  const columns = [
    token.id,
    state.padEnd(8),
    token.scopes.join(",").padEnd(10),
    `ends ${time(token.expiresMs, "never").padEnd(17)}`,
    `used ${time(token.lastUsedMs, "never").padEnd(17)}`,
    token.name,
  ];
  return `${columns.join("  ")}\n`;
}

function done(text: string): CommandOutcome {
  return { code: 0, text };
}

function refuse(sentence: string): CommandOutcome {
  return { code: 2, text: `${sentence}\n` };
}
