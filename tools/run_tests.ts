/**
 * `deno task test [--no-setup] [deno test arguments]`: fetches what the tests need, runs them, and
 * ends with `N passed, N failed`. With CI=true a skipped test is a failure.
 *
 * @module
 */

import { XMLParser } from "fast-xml-parser";
import { setUp } from "./setup.ts";

/** The counts of a JUnit report, and the names of the tests that did not run. */
interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: readonly string[];
}

const root = new URL("..", import.meta.url);

function print(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}

async function runTests(args: readonly string[], report: string): Promise<boolean> {
  const options = { cwd: root, stdout: "inherit", stderr: "inherit" } as const;
  const common = ["test", "-A", "--quiet", `--junit-path=${report}`];
  const command = new Deno.Command(Deno.execPath(), { ...options, args: [...common, ...args] });
  return (await command.output()).success;
}

interface Case {
  readonly "@_name": string;
  readonly failure?: unknown;
  readonly error?: unknown;
  readonly skipped?: unknown;
}

function count(xml: string): Counts {
  const parser = new XMLParser({
    ignoreAttributes: false,
    processEntities: true,
    isArray: (name) => name.startsWith("test") && name !== "testsuites",
  });
  const suites: { testcase?: Case[] }[] = parser.parse(xml).testsuites?.testsuite ?? [];
  const cases = suites.flatMap((suite) => suite.testcase ?? []);
  const failed = cases.filter((one) => "failure" in one || "error" in one).length;
  const skipped = cases.filter((one) => "skipped" in one).map((one) => one["@_name"]);
  return { passed: cases.length - failed - skipped.length, failed, skipped };
}

const args = Deno.args.filter((arg) => arg !== "--no-setup");
await setUp({ install: args.length === Deno.args.length });
const report = await Deno.makeTempFile({ prefix: "downlink-test-", suffix: ".xml" });
const success = await runTests(args, report);
const { passed, failed, skipped } = count(await Deno.readTextFile(report));
await Deno.remove(report);
for (const name of skipped) print(`skipped: ${name}`);
const strict = Deno.env.get("CI") === "true" && skipped.length > 0;
if (strict) print("With CI=true a skipped test is a failure.");
print(`${passed} passed, ${failed} failed, ${skipped.length} skipped`);
Deno.exit(success && !strict && passed > 0 ? 0 : 1);
