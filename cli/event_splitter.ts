/**
 * Splits a text of server-sent events (HTML Living Standard, 9.2) into the data of each.
 *
 * @module
 */

/** Longest event that is kept. */
const maxLength = 4 << 20;

/** Collects text and gives back the data of whole events. */
export class EventSplitter {
  #rest = "";

  /**
   * Takes the next piece of text.
   *
   * @throws {RangeError} When an event is too long.
   */
  push(text: string): string[] {
    const parts = (this.#rest + text).replaceAll("\r\n", "\n").split("\n\n");
    this.#rest = parts.pop() ?? "";
    if (this.#rest.length > maxLength) {
      throw new RangeError(`Cannot read events: need at most ${maxLength} characters in one`);
    }
    return parts.map(dataOf).filter((data) => data !== "");
  }
}

function dataOf(event: string): string {
  return event.split("\n").filter((line) => line.startsWith("data:"))
    .map((line) => line.slice(5).replace(/^ /, "")).join("\n");
}
