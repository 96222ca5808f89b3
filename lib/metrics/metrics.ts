/**
 * A program's metrics in the Prometheus text format.
 *
 * @module
 */

import { Counter, Gauge, Histogram, Registry } from "prom-client";

/** Makes metrics and renders them; names follow the Prometheus conventions. */
export interface Metrics {
  /**
   * A number that only grows; the name ends in `_total`. With `read`, counted by someone else:
   * it returns the count, or adds one for each label.
   */
  counter<Label extends string = never>(
    name: string,
    help: string,
    labels?: readonly Label[],
    read?: (counter: Counter<Label>) => number | void,
  ): Counter<Label>;
  /**
   * Adds to a counter that is counted for every request: its series is not looked up each time, and
   * what was added is in it when it is rendered.
   */
  tally<Label extends string>(
    counter: Counter<Label>,
    labels?: Readonly<Partial<Record<Label, string>>>,
  ): Tally;
  /** A number that goes up and down; with `collect`, read when scraped. */
  gauge<Label extends string = never>(
    name: string,
    help: string,
    labels?: readonly Label[],
    collect?: (gauge: Gauge<Label>) => void,
  ): Gauge<Label>;
  /** A distribution over fixed buckets, in base units (seconds, bytes). */
  histogram<Label extends string = never>(
    name: string,
    help: string,
    buckets: readonly number[],
    labels?: readonly Label[],
  ): Histogram<Label>;
  /** The exposition text. */
  render(): Promise<string>;
  /** Its media type. */
  readonly contentType: string;
}

/** One series of a counter. */
export interface Tally {
  add(amount: number): void;
}

class OpenTally implements Tally {
  #amount = 0;

  constructor(readonly flushTo: (amount: number) => void) {}

  add(amount: number): void {
    this.#amount += amount;
  }

  flush(): void {
    if (this.#amount === 0) return;
    this.flushTo(this.#amount);
    this.#amount = 0;
  }
}

/** Makes the metrics of one program, with `build_info` and the process's own numbers. */
export function createMetrics(program: string, version: string, startedMs: number): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const info = new Gauge({
    name: "downlink_build_info",
    help: "Constant 1, labelled by program and version.",
    labelNames: ["program", "version"],
    registers,
  });
  info.set({ program, version }, 1);
  new Gauge({
    name: "process_start_time_seconds",
    help: "Start time of the process since the Unix epoch in seconds.",
    registers,
  }).set(startedMs / 1000);
  new Gauge({
    name: "process_resident_memory_bytes",
    help: "Resident memory size in bytes.",
    registers,
    collect() {
      this.set(Deno.memoryUsage().rss);
    },
  });
  const tallies: OpenTally[] = [];
  return {
    tally(counter, labels) {
      const tally = new OpenTally((amount) => counter.inc({ ...labels }, amount));
      tallies.push(tally);
      return tally;
    },
    counter: (name, help, labels = [], read) => {
      const counter: Counter<typeof labels[number]> = new Counter({
        name,
        help,
        labelNames: [...labels],
        registers,
        collect: read && ((): void => {
          counter.reset();
          const count = read(counter);
          if (count !== undefined) counter.inc(count);
        }),
      });
      return counter;
    },
    gauge: (name, help, labels = [], collect) => {
      const gauge: Gauge<typeof labels[number]> = new Gauge({
        name,
        help,
        labelNames: [...labels],
        registers,
        collect: collect && ((): void => collect(gauge)),
      });
      return gauge;
    },
    histogram: (name, help, buckets, labels = []) =>
      new Histogram({ name, help, buckets: [...buckets], labelNames: [...labels], registers }),
    render() {
      for (const tally of tallies) tally.flush();
      return registry.metrics();
    },
    contentType: registry.contentType,
  };
}
