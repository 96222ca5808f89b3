/**
 * What the demo can be told.
 *
 * @module
 */

import { parseArgs } from "node:util";

/** The demo's options. */
export interface DemoOptions {
  /** Check the system and end, instead of showing it. */
  readonly check: boolean;
  /** Folder with compiled programs. */
  readonly binaries: string | undefined;
  /** Send packets to one receiver even where multicast works. */
  readonly unicast: boolean;
  /** Lose the satellite's packets from the start: 0 to 30, in percent. */
  readonly lossPercent: number;
}

/** Options, a request for help, or the sentence that says why not. */
export type DemoReading =
  | { readonly kind: "options"; readonly options: DemoOptions }
  | { readonly kind: "help" }
  | { readonly kind: "refused"; readonly sentence: string };

/** The text of `--help`. */
export const help = `deno task demo [--loss PERCENT] [--unicast] [--binaries DIR]
deno task demo --check [--unicast] [--binaries DIR]

Starts an origin with a live channel, control, a shield, two edges, a headend, a
satellite and a set-top box on this machine, and serves a page that plays it.

  --check         Plays, loses packets and purges without a browser, for less
                  than 60 s; ends with a table, and with 0 only if all holds.
  --binaries DIR  Runs the compiled programs of DIR (deno task compile) instead
                  of the sources.
  --loss PERCENT  Packets that the satellite loses from the start, 0 to 30.
                  Default: 0.
  --unicast       Sends the packets to one receiver instead of a multicast
                  group, as is done anyway where a machine forbids multicast.
  --help          Prints this.
`;

/** Reads the arguments; never throws. */
export function readOptions(args: readonly string[]): DemoReading {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        check: { type: "boolean", default: false },
        binaries: { type: "string" },
        unicast: { type: "boolean", default: false },
        loss: { type: "string", default: "0" },
        help: { type: "boolean", default: false },
      },
    });
    if (values.help) return { kind: "help" };
    const lossPercent = /^\d{1,2}$/.test(values.loss) ? Number(values.loss) : NaN;
    if (!(lossPercent <= 30)) {
      return refused(
        `Cannot use --loss: need a whole number from 0 to 30: received ${values.loss}`,
      );
    }
    return {
      kind: "options",
      options: {
        check: values.check,
        binaries: values.binaries,
        unicast: values.unicast,
        lossPercent,
      },
    };
  } catch (error) {
    const reason = error instanceof Error ? error.message.split(".")[0] : String(error);
    return refused(`Cannot start the demo: need the options that --help lists: received ${reason}`);
  }
}

function refused(sentence: string): DemoReading {
  return { kind: "refused", sentence };
}
