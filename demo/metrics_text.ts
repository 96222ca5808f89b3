/**
 * Reads the Prometheus text that our programs serve: enough of it to add up a counter.
 *
 * @module
 */

/** One line of the text. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const line = /^([A-Za-z_:][A-Za-z0-9_:]*)(?:\{(.*)\})? (\S+)(?: \d+)?$/;
const label = /([A-Za-z_][A-Za-z0-9_]*)="((?:[^"\\]|\\.)*)"/g;

/** Returns the samples; comments and lines that are none are left out. */
export function readMetrics(text: string): Sample[] {
  return text.split("\n").flatMap((each) => {
    const parts = line.exec(each);
    if (!parts) return [];
    const labels = Object.fromEntries(
      [...(parts[2] ?? "").matchAll(label)].map(([, name, value]) => [name, value]),
    );
    return [{ name: parts[1], labels, value: Number(parts[3]) }];
  });
}

/** Adds up the samples of a name whose labels agree with `labels`. */
export function sum(
  samples: readonly Sample[],
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number {
  const wanted = Object.entries(labels);
  return samples
    .filter((sample) =>
      sample.name === name && wanted.every(([key, value]) => sample.labels[key] === value)
    )
    .reduce((total, { value }) => total + value, 0);
}
