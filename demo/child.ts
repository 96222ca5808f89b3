/**
 * One process of the demo: started, watched, stopped within bounds.
 *
 * @module
 */

import { TextLineStream } from "./text_lines.ts";

/** Log lines kept for the case that the process dies. */
const keptLines = 40;

/** What to run. */
export interface ChildCommand {
  /** Name on the screen, for example `edge-1`. */
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
  readonly cwd: URL | string;
}

/** How a process ended. */
export interface ChildEnd {
  readonly code: number;
  readonly signal: string | null;
}

/** A running process. */
export class Child {
  readonly name: string;
  /** Resolves when it has ended, for whatever reason. */
  readonly ended: Promise<ChildEnd>;
  readonly #process: Deno.ChildProcess;
  readonly #lines: string[] = [];
  #end: ChildEnd | undefined;

  /** @throws {Error} One sentence when the program cannot be run. */
  constructor(command: ChildCommand) {
    this.name = command.name;
    this.#process = spawn(command);
    const reading = [this.#process.stdout, this.#process.stderr].map((out) => this.#keep(out));
    this.ended = Promise.all([this.#process.status, ...reading]).then(([{ code, signal }]) => {
      return this.#end = { code, signal };
    });
  }

  /** The newest lines that it wrote. */
  get lastLines(): readonly string[] {
    return this.#lines;
  }

  get running(): boolean {
    return this.#end === undefined;
  }

  /** Asks it to drain, and kills it when it has not ended after `patienceMs`. */
  async stop(patienceMs: number): Promise<ChildEnd> {
    this.#signal("SIGTERM");
    const timer = setTimeout(() => this.#signal("SIGKILL"), patienceMs);
    const end = await this.ended;
    clearTimeout(timer);
    return end;
  }

  #signal(signal: Deno.Signal): void {
    try {
      if (this.running) this.#process.kill(signal);
    } catch {
      // It ended between the question and the signal.
    }
  }

  async #keep(output: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<void> {
    const lines = output.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream());
    for await (const line of lines) {
      this.#lines.push(line);
      if (this.#lines.length > keptLines) this.#lines.shift();
    }
  }
}

function spawn({ program, args, cwd }: ChildCommand): Deno.ChildProcess {
  try {
    return new Deno.Command(program, {
      args: [...args],
      cwd,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`Cannot start the demo: need to run ${program}: received ${reason}`);
  }
}
