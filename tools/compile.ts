/**
 * `deno task compile`: makes `dist/downlink-{edge,shield,control,headend,stb}` and the command line
 * `dist/downlink` with `deno compile`, each under its own permissions, and `dist/SHA256SUMS`. Where
 * the base binary cannot be downloaded, DENORT_BIN names one.
 *
 * `deno task compile --target aarch64-unknown-linux-gnu` makes them for another machine, in
 * `dist/aarch64/`.
 *
 * @module
 */

import { commandLine, commonIncludes, programs } from "./programs.ts";

const root = new URL("..", import.meta.url);
const target = Deno.args[0] === "--target" ? Deno.args[1] : undefined;
const folder = target === undefined ? "dist/" : `dist/${target.split("-")[0]}/`;
const dist = new URL(folder, root);
const commitFile = new URL("lib/build/commit.txt", root);

function print(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}

/** Ends with one sentence. */
function refuse(sentence: string): never {
  print(sentence);
  Deno.exit(1);
}

/** The commit of the tree, with `+` when it has been edited since; empty where git does not know. */
async function commit(): Promise<string> {
  const ask = async (...args: string[]) => {
    const command = new Deno.Command("git", { args, cwd: root, stderr: "null" });
    const answer = await command.output().catch(() => undefined);
    return answer?.success ? new TextDecoder().decode(answer.stdout).trim() : "";
  };
  const id = await ask("rev-parse", "--short=12", "HEAD");
  return id === "" ? "" : `${id}${await ask("status", "--porcelain") === "" ? "" : "+"}`;
}

const arch = target?.split("-")[0] ?? Deno.build.arch;
if (!["x86_64", "aarch64"].includes(arch)) {
  refuse(`Cannot compile: need x86_64 or aarch64 Linux after --target: received ${target}`);
}
if (arch !== Deno.build.arch && Deno.env.has("DENORT_BIN")) {
  refuse(
    `Cannot compile for ${arch}: need the base binary of Deno ${Deno.version.deno} for it, which is ` +
      "downloaded when DENORT_BIN is not set: received one for this machine",
  );
}
await Deno.mkdir(dist, { recursive: true });
await Deno.writeTextFile(commitFile, await commit());
const sums: string[] = [];
for (const { name, main, permissions, include } of [...programs, commandLine]) {
  const binary = name === "cli" ? "downlink" : `downlink-${name}`;
  const output = new URL(binary, dist);
  // Types are the business of `deno task check`: an older compiler that only compiles knows others.
  const args = ["compile", "--quiet", "--frozen", "--no-check", ...permissions];
  if (target !== undefined) args.push("--target", target);
  const files = [...commonIncludes, "lib/build/commit.txt", ...include];
  for (const path of files) args.push("--include", path);
  const started = performance.now();
  const command = new Deno.Command(Deno.execPath(), {
    args: [...args, "--output", output.pathname, main],
    cwd: root,
    // Deno 2.4's module analysis recurses deeply on the npm packages that this tree uses.
    env: { RUST_MIN_STACK: "67108864" },
    stdout: "inherit",
    stderr: "inherit",
  });
  if (!(await command.output()).success) {
    refuse(
      `Cannot compile ${name}: need the base binary of Deno ${Deno.version.deno}, downloaded or in DENORT_BIN`,
    );
  }
  const bytes = await Deno.readFile(output);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const hex = [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  sums.push(`${hex}  ${binary}\n`);
  const megabytes = (bytes.length / 1e6).toFixed(1);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  print(`${folder}${binary.padEnd(17)} ${megabytes.padStart(6)} MB  ${seconds.padStart(5)} s`);
}
await Deno.writeTextFile(new URL("SHA256SUMS", dist), sums.join(""));
