/**
 * `deno run -A bench/conformance/run.ts [--all]`: the public HTTP cache conformance suite (npm package
 * `http-cache-tests`) against our edge as a plain reverse proxy, beside nginx and Varnish where they are
 * installed. Prints how many cases each passes; with `--all` also each case that ours fails.
 *
 * The suite tells its requests apart by fields of its own, and varies by others: the edge is told to pass
 * those on, for it passes no unknown field by default, and to store responses with Set-Cookie.
 *
 * The suite is fetched from npm into a temporary folder; it needs `node` and `npm`.
 *
 * @module
 */

import { freePort, type Server, startEdge, startNginx, startVarnish } from "../peers/servers.ts";

/** A case of the suite, as far as counting needs it. */
interface SuiteCase {
  readonly id: string;
  readonly kind?: "required" | "optimal" | "check";
  readonly browser_only?: boolean;
}

type Results = Readonly<Record<string, true | readonly [string, string]>>;

const version = "0.4.5";
const suiteFields = "test-name,test-id,req-num,foo,bar,baz,abc,other,a";
const edgeFlags = ["--forward-fields", suiteFields, "--set-cookie", "store"];

function print(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}

async function install(dir: string): Promise<string> {
  const args = [
    "install",
    "--ignore-scripts",
    "--silent",
    "--prefix",
    dir,
    `http-cache-tests@${version}`,
  ];
  const { success } = await new Deno.Command("npm", { args, stdout: "null", stderr: "inherit" })
    .output();
  if (!success) {
    throw new Error(`Cannot fetch the suite: need npm to install http-cache-tests@${version}`);
  }
  return `${dir}/node_modules/http-cache-tests`;
}

async function startSuiteServer(
  suite: string,
): Promise<{ url: string; stop: () => Promise<void> }> {
  const port = freePort();
  const env = {
    npm_config_port: String(port),
    npm_config_protocol: "http",
    npm_config_pidfile: `${suite}/server.pid`,
  };
  const child = new Deno.Command("node", {
    args: ["server/server.mjs"],
    cwd: suite,
    env,
    stdout: "null",
    stderr: "null",
  }).spawn();
  const url = `http://127.0.0.1:${port}`;
  for (let tries = 0; tries < 100; tries++) {
    const answer = await fetch(url).catch(() => undefined);
    await answer?.body?.cancel();
    if (answer) break;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const stop = async () => {
    child.kill("SIGTERM");
    await child.status;
  };
  return { url, stop };
}

async function runSuite(suite: string, base: string): Promise<Results> {
  const env = { npm_config_base: base, npm_package_config_id: "" };
  const args = ["--no-warnings", "cli.mjs"];
  const command = new Deno.Command("node", { args, cwd: suite, env, stderr: "null" });
  return JSON.parse(new TextDecoder().decode((await command.output()).stdout));
}

async function readCases(suite: string): Promise<SuiteCase[]> {
  const { default: groups } = await import(`file://${suite}/tests/index.mjs`);
  const cases = (groups as { tests: SuiteCase[] }[]).flatMap((group) => group.tests);
  return cases.filter((one) => !one.browser_only);
}

function passed(cases: readonly SuiteCase[], results: Results, kind: string): string {
  const ofKind = cases.filter((one) => (one.kind ?? "required") === kind);
  return `${ofKind.filter((one) => results[one.id] === true).length} of ${ofKind.length}`;
}

async function isInstalled(binary: string): Promise<boolean> {
  const found = await new Deno.Command("sh", { args: ["-c", `command -v ${binary}`] }).output();
  return found.success;
}

const dir = await Deno.makeTempDir({ prefix: "cache-suite-" });
const suite = await install(dir);
const origin = await startSuiteServer(suite);
const cases = await readCases(suite);
print(`http-cache-tests ${version}, ${cases.length} cases\n`);
print("| cache | required | optional |");
print("| --- | ---: | ---: |");
try {
  const peers: [string, (origin: string) => Promise<Server>][] = [["nginx", startNginx], [
    "varnishd",
    startVarnish,
  ]];
  const ours = (url: string) => startEdge(url, { flags: edgeFlags });
  const starts = [ours];
  for (const [binary, start] of peers) if (await isInstalled(binary)) starts.push(start);
  const failures: string[] = [];
  for (const start of starts) {
    const server = await start(origin.url);
    try {
      const results = await runSuite(suite, server.url);
      const [required, optional] = [
        passed(cases, results, "required"),
        passed(cases, results, "optimal"),
      ];
      print(`| ${server.name} | ${required} | ${optional} |`);
      if (start !== ours || !Deno.args.includes("--all")) continue;
      for (const { id, kind = "required" } of cases) {
        const result = results[id];
        if (kind !== "check" && result !== true) {
          failures.push(`${kind} ${id}: ${result?.[1] ?? "no result"}`);
        }
      }
    } finally {
      await server.stop();
    }
  }
  for (const line of failures) print(line);
} finally {
  await origin.stop();
  await Deno.remove(dir, { recursive: true });
}
