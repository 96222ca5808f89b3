/**
 * What `--help` teaches.
 *
 * @module
 */

import type { Flags } from "./arguments.ts";

/** A command of the program. */
export interface CommandHelp {
  readonly name: string;
  /** What comes after its name beside flags. */
  readonly operands?: string;
  readonly does: string;
  readonly flags: Flags;
  readonly examples: readonly (readonly [command: string, does: string])[];
}

/** Flags that every command takes. */
export const commonFlags: Flags = {
  control: { value: "URL", help: "Control's API. Default: http://127.0.0.1:9000." },
  "token-file": { value: "FILE", help: "File with the bearer token, where control wants one." },
  help: { help: "Prints this." },
};

const exitCodes = `Exit codes: 0 done; 1 control refused or cannot be reached; 2 bad command line;
3 with --wait, when time is up and nodes are still missing.
`;

const environment = `--control and --token-file are also DOWNLINK_CONTROL and DOWNLINK_TOKEN_FILE.
`;

/** The help of the program. */
export function programHelp(commands: readonly CommandHelp[]): string {
  const list = commands.map(({ name, does }) => `  ${name.padEnd(8)} ${does}\n`).join("");
  const examples = commands.flatMap((command) => command.examples.slice(0, 2));
  return `downlink: purges and looks at a Downlink CDN through its control.

${exampleText(examples)}
Commands:
${list}
downlink COMMAND --help says more.

${environment}${exitCodes}`;
}

/** The help of one command. */
export function commandHelp({ name, operands = "", does, flags, examples }: CommandHelp): string {
  return `downlink ${name}${operands}: ${does}

${exampleText(examples)}
${flagText({ ...flags, ...commonFlags })}
${environment}${exitCodes}`;
}

function exampleText(examples: CommandHelp["examples"]): string {
  return examples.map(([command, does]) => `  ${command}\n      ${does}\n`).join("");
}

function flagText(flags: Flags): string {
  return Object.entries(flags).map(([name, { value, help, repeats }]) => {
    const form = value === undefined ? "" : ` ${value}`;
    return `  --${name}${form}\n      ${help}${repeats ? " May be repeated." : ""}\n`;
  }).join("");
}
