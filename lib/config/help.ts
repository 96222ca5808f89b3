/**
 * The `--help` text, generated from the parameter table.
 *
 * @module
 */

import type { ParameterTable } from "./parameter.ts";
import { flagName, variableName } from "./settings.ts";

/** What a program says of itself above its parameters. */
export interface Introduction {
  /** The program's name, for example `edge`. */
  readonly program: string;
  /** What it does, a sentence or two. */
  readonly summary: string;
  /** Command lines that work, each with what it does. */
  readonly examples: readonly { readonly command: string; readonly does: string }[];
}

/** Returns the help text, at most 80 columns wide. */
export function formatHelp(introduction: Introduction, table: ParameterTable): string {
  const { program, summary, examples } = introduction;
  const rows = Object.entries(table).map(([name, parameter]) => {
    const fallback = parameter.default === undefined ? "" : ` Default: ${parameter.default}.`;
    return entry(`${flagName(name)} ${parameter.form}`, `${parameter.help}${fallback}`);
  });
  rows.push(entry("--config FILE", "JSON file with the same keys, without the dashes."));
  rows.push(
    entry("--version", "Prints the version, and the commit when it is known."),
    entry("--licenses", "Prints the licences of all that is in this program."),
    entry("--help", "Prints this."),
  );
  const first = Object.keys(table)[0];
  const note =
    `Each flag is also an environment variable (${flagName(first)}: ${
      variableName(first)
    }) and a key of ` +
    "--config FILE. A flag wins over the environment, which wins over the file.";
  return [
    `downlink-${program}: ${wrap(summary, 0, `downlink-${program}: `.length)}`,
    "",
    ...examples.flatMap((
      { command, does },
    ) => [`  ${wrapCommand(command)}`, `      ${wrap(does, 6)}`]),
    "",
    ...rows,
    "",
    wrap(note, 0),
    "",
  ].join("\n");
}

function entry(flag: string, help: string): string {
  return `  ${flag}\n      ${wrap(help, 6)}`;
}

/** Breaks a command line before a flag, so that it can still be pasted into a shell. */
function wrapCommand(command: string): string {
  const lines: string[] = [];
  let line = "";
  for (const part of command.split(/ (?=--)/)) {
    const joined = line === "" ? part : `${line} ${part}`;
    if (joined.length <= 72 || line === "") line = joined;
    else {
      lines.push(line);
      line = part;
    }
  }
  return [...lines, line].join(" \\\n    ");
}

/** Breaks text at 80 columns; lines after the first are indented. */
function wrap(text: string, indent: number, firstIndent = indent): string {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    const room = 80 - (lines.length === 0 ? firstIndent : indent);
    if (line !== "" && line.length + 1 + word.length > room) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line].join(`\n${" ".repeat(indent)}`);
}
