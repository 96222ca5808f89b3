/**
 * Text cut into lines.
 *
 * @module
 */

/** A line longer than this is cut: a log line that nobody ends must not fill the memory. */
const maxLineLength = 64 * 1024;

/** Cuts text chunks into lines without their line ends; the last one may lack its end. */
export class TextLineStream extends TransformStream<string, string> {
  constructor() {
    let rest = "";
    super({
      transform(chunk, controller) {
        const lines = (rest + chunk).split("\n");
        rest = (lines.pop() ?? "").slice(0, maxLineLength);
        for (const line of lines) controller.enqueue(line.replace(/\r$/, ""));
      },
      flush(controller) {
        if (rest !== "") controller.enqueue(rest);
      },
    });
  }
}
