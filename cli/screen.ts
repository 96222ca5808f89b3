/**
 * Where output goes: a terminal, whose last line can be written anew, or a file of plain lines.
 *
 * @module
 */

/** Standard output and error, as a command writes to them. */
export interface Screen {
  /** Whether people watch. */
  readonly isTerminal: boolean;
  readonly width: number;
  /** Writes whole lines. */
  print(text: string): void;
  /** Shows a line that the next one replaces; nothing where nobody watches. */
  show(line: string): void;
  complain(sentence: string): void;
}

/** The screen of this process. */
export function processScreen(): Screen {
  const encoder = new TextEncoder();
  const isTerminal = Deno.stdout.isTerminal();
  let shown = false;
  const clear = () => {
    if (shown) Deno.stdout.writeSync(encoder.encode("\r\x1b[2K"));
    shown = false;
  };
  return {
    isTerminal,
    width: isTerminal ? Deno.consoleSize().columns : 80,
    print(text) {
      clear();
      Deno.stdout.writeSync(encoder.encode(text));
    },
    show(line) {
      if (!isTerminal) return;
      Deno.stdout.writeSync(encoder.encode(`\r\x1b[2K${line}`));
      shown = true;
    },
    complain(sentence) {
      clear();
      Deno.stderr.writeSync(encoder.encode(`${sentence}\n`));
    },
  };
}
