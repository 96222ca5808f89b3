/**
 * The public HTTP cache conformance suite (npm package `http-cache-tests`): fetched into a temporary
 * folder, run against a cache, counted. Needs `node` and `npm`.
 *
 * @module
 */

import { freePort } from "../peers/servers.ts";

/** The edition that is run. */
export const suiteVersion = "0.4.5";

/**
 * How our programs are started for it. The suite tells its requests apart by fields of its own, and varies
 * by others: they are passed on, for no unknown field passes by default. It wants responses with
 * Set-Cookie stored.
 */
export const suiteFlags: readonly string[] = [
  "--forward-fields",
  "test-name,test-id,req-num,foo,bar,baz,abc,other,a",
  "--set-cookie",
  "store",
];

/** A case that ran. */
export interface CaseResult {
  readonly id: string;
  readonly kind: "required" | "optimal" | "check";
  /** What was not as it should be; `undefined` when it passed. */
  readonly failure: string | undefined;
}

/** The suite with its origin, running. */
export interface Suite {
  /** Where the caches find their origin. */
  readonly origin: string;
  /** Runs every case that needs no browser through the cache at `url`. */
  run(url: string): Promise<readonly CaseResult[]>;
  stop(): Promise<void>;
}

interface SuiteCase {
  readonly id: string;
  readonly kind?: CaseResult["kind"];
  readonly browser_only?: boolean;
}

/** Fetches the suite and starts its origin. */
export async function startSuite(): Promise<Suite> {
  const dir = await Deno.makeTempDir({ prefix: "cache-suite-" });
  const remove = () => Deno.remove(dir, { recursive: true });
  try {
    const suite = await install(dir);
    const cases = await readCases(suite);
    const { url, stop } = await startOrigin(suite);
    return {
      origin: url,
      run: (cache) => runCases(suite, cases, cache),
      stop: () => stop().then(remove),
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function install(dir: string): Promise<string> {
  const name = `http-cache-tests@${suiteVersion}`;
  const args = [
    "install",
    "--ignore-scripts",
    "--silent",
    "--prefer-offline",
    "--prefix",
    dir,
    name,
  ];
  const command = new Deno.Command("npm", { args, stdout: "null", stderr: "null" });
  if (!(await command.output()).success) {
    throw new Error(`Cannot fetch the suite: need npm to install ${name}: received a failure`);
  }
  return `${dir}/node_modules/http-cache-tests`;
}

async function readCases(suite: string): Promise<SuiteCase[]> {
  const { default: groups } = await import(`file://${suite}/tests/index.mjs`);
  const cases = (groups as { tests: SuiteCase[] }[]).flatMap((group) => group.tests);
  return cases.filter((one) => !one.browser_only);
}

async function startOrigin(suite: string): Promise<{ url: string; stop: () => Promise<void> }> {
  const port = freePort();
  const env = {
    npm_config_port: String(port),
    npm_config_protocol: "http",
    npm_config_pidfile: `${suite}/server.pid`,
  };
  const options = { cwd: suite, env, stdout: "null", stderr: "null" } as const;
  const child = new Deno.Command("node", { ...options, args: ["server/server.mjs"] }).spawn();
  const stop = async () => {
    child.kill("SIGTERM");
    await child.status;
  };
  const url = `http://127.0.0.1:${port}`;
  for (let tries = 0; tries < 100; tries++) {
    const answer = await fetch(url).catch(() => undefined);
    await answer?.body?.cancel();
    if (answer) return { url, stop };
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await stop();
  throw new Error(`Cannot run the suite: need its origin to answer on ${url}: received nothing`);
}

async function runCases(
  suite: string,
  cases: readonly SuiteCase[],
  base: string,
): Promise<readonly CaseResult[]> {
  const env = { npm_config_base: base, npm_package_config_id: "" };
  const args = ["--no-warnings", "cli.mjs"];
  const command = new Deno.Command("node", { args, cwd: suite, env, stderr: "null" });
  const { stdout } = await command.output();
  const results: Record<string, true | readonly [kind: string, message: string]> = JSON.parse(
    new TextDecoder().decode(stdout),
  );
  return cases.map(({ id, kind = "required" }) => {
    const result = results[id];
    const failure = result === true ? undefined : result?.[1] ?? "no result";
    return { id, kind, failure };
  });
}
