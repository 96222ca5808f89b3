/**
 * What the demo writes to the terminal: lines and tables of at most 80 columns.
 *
 * @module
 */

/** Columns of the narrowest terminal that is served. */
const columns = 80;

/** Writes a line to standard output. */
export function print(line = ""): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}

/** Writes a line to standard error. */
export function complain(line: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(`${line}\n`));
}

/**
 * Lays out rows in columns; the last column is broken between words where it is too long.
 *
 * @param rows Cells of each row; all rows have as many.
 */
export function layOut(rows: readonly (readonly string[])[]): string[] {
  const last = Math.max(...rows.map((row) => row.length)) - 1;
  const widths = Array.from(
    { length: last },
    (_, index) => Math.max(...rows.map((row) => row[index].length)) + 2,
  );
  const left = widths.reduce((total, width) => total + width, 0);
  return rows.flatMap((row) => {
    const head = row.slice(0, last).map((cell, index) => cell.padEnd(widths[index])).join("");
    const lines = breakWords(row[last], columns - left);
    return lines.map((line, index) => `${index === 0 ? head : " ".repeat(left)}${line}`.trimEnd());
  });
}

function breakWords(text: string, width: number): string[] {
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = lines[lines.length - 1];
    if (line === "") lines[lines.length - 1] = word;
    else if (line.length + 1 + word.length <= width) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines;
}
