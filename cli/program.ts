/**
 * The command line as a function: arguments in, exit code out.
 *
 * @module
 */

import { BadUsage, type Flags, readArguments } from "./arguments.ts";
import { ControlApi, ControlRefused } from "./control_api.ts";
import { type CommandHelp, commandHelp, commonFlags, programHelp } from "./help.ts";
import { lookFlags, nodesCommand, statusCommand } from "./look_commands.ts";
import { type CommandContext, purgeCommand, purgeFlags } from "./purge_command.ts";
import type { Screen } from "./screen.ts";

/** What the program runs in. */
export interface Surroundings {
  readonly screen: Screen;
  /** A variable of the environment. */
  readonly variable: (name: string) => string | undefined;
  readonly readFile: (path: string) => string;
  readonly nowMs: () => number;
  readonly version: string;
  /** The licences of all that is in the program. */
  readonly licenses: () => string;
}

interface Command extends CommandHelp {
  readonly run: (
    args: ReturnType<typeof readArguments>,
    context: CommandContext,
  ) => Promise<number>;
}

const commands: readonly Command[] = [
  {
    name: "purge",
    does: "Purges by URL, prefix or tag, or everything.",
    flags: purgeFlags,
    examples: [
      ["downlink purge --tag news --wait", "Purges a tag; ends when every node has applied it."],
      ["downlink purge --url https://cdn.example/a.m3u8 --soft", "Marks one object stale."],
      ["downlink purge --prefix /vod/42 --dry-run", "Counts what each cache would lose."],
    ],
    run: purgeCommand,
  },
  {
    name: "status",
    operands: " [ID]",
    does: "Shows the purge log and the newest purges, or one of them.",
    flags: lookFlags,
    examples: [
      ["downlink status", "Shows how far the newest purges have come."],
      ["downlink status 0c8f...", "Shows one purge, and which nodes it waits for and why."],
    ],
    run: statusCommand,
  },
  {
    name: "nodes",
    does: "Lists the nodes, and where each stands in the purge log.",
    flags: lookFlags,
    examples: [["downlink nodes --json", "The same for a program."]],
    run: nodesCommand,
  },
];

/** Runs the command line; returns the exit code and never throws. */
export async function runCommandLine(
  args: readonly string[],
  surroundings: Surroundings,
): Promise<number> {
  const { screen } = surroundings;
  try {
    return await run(args, surroundings);
  } catch (error) {
    if (error instanceof BadUsage) {
      screen.complain(error.message);
      return 2;
    }
    const isRefusal = error instanceof ControlRefused;
    screen.complain(
      isRefusal ? error.message : `Cannot go on: need a sound answer: received ${error}`,
    );
    return 1;
  }
}

async function run(args: readonly string[], surroundings: Surroundings): Promise<number> {
  const { screen, version, licenses, nowMs } = surroundings;
  const [name, ...rest] = args;
  if (name === undefined || name === "--help" || name === "help" || name === "-h") {
    screen.print(programHelp(commands));
    return name === undefined ? 2 : 0;
  }
  if (name === "--version") {
    screen.print(`downlink ${version}\n`);
    return 0;
  }
  if (name === "--licenses") {
    screen.print(licenses());
    return 0;
  }
  const command = commands.find((one) => one.name === name);
  if (command === undefined) {
    const names = commands.map((one) => one.name).join(", ");
    throw new BadUsage(`Cannot start: need one of ${names}: received ${name}`);
  }
  if (rest.includes("--help") || rest.includes("-h")) {
    screen.print(commandHelp(command));
    return 0;
  }
  const flags: Flags = { ...command.flags, ...commonFlags };
  const read = readArguments(rest, flags);
  return await command.run(read, { api: apiOf(read.given, surroundings), screen, nowMs });
}

function apiOf(
  given: ReadonlyMap<string, readonly string[]>,
  { variable, readFile }: Surroundings,
): ControlApi {
  const control = given.get("control")?.[0] ?? variable("DOWNLINK_CONTROL") ??
    "http://127.0.0.1:9000";
  if (!URL.canParse(control) || !/^https?:/.test(control)) {
    throw new BadUsage(`Cannot use --control: need an http or https URL: received ${control}`);
  }
  const file = given.get("token-file")?.[0] ?? variable("DOWNLINK_TOKEN_FILE");
  return new ControlApi(new URL(control), file === undefined ? undefined : tokenIn(file, readFile));
}

function tokenIn(file: string, readFile: (path: string) => string): string {
  let token: string;
  try {
    token = readFile(file).trim();
  } catch (error) {
    const reason = (error as Error).message;
    throw new BadUsage(`Cannot use --token-file: need a readable file: received ${reason}`);
  }
  if (/^[\x21-\x7e]{1,4096}$/.test(token)) return token;
  throw new BadUsage(`Cannot use --token-file: need a token in ${file}: received none`);
}
