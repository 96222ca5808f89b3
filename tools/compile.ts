/**
 * `deno task compile`: makes `dist/downlink-{edge,shield,control,headend,stb}` and the command line
 * `dist/downlink` with `deno compile`, each under its own permissions. Where the base binary cannot be downloaded, DENORT_BIN names one.
 *
 * @module
 */

import { commandLine, programs } from "./programs.ts";

const root = new URL("..", import.meta.url);
const dist = new URL("dist/", root);

function print(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}

await Deno.mkdir(dist, { recursive: true });
const sums: string[] = [];
for (const { name, main, permissions, include } of [...programs, commandLine]) {
  const binary = name === "cli" ? "downlink" : `downlink-${name}`;
  const output = new URL(binary, dist);
  const args = ["compile", "--quiet", "--frozen", ...permissions];
  for (const path of include) args.push("--include", path);
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
    print(
      `Cannot compile ${name}: need the base binary of Deno ${Deno.version.deno}, downloaded or in DENORT_BIN`,
    );
    Deno.exit(1);
  }
  const bytes = await Deno.readFile(output);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const hex = [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  sums.push(`${hex}  ${binary}\n`);
  const megabytes = (bytes.length / 1e6).toFixed(1);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  print(`dist/${binary.padEnd(17)} ${megabytes.padStart(6)} MB  ${seconds.padStart(5)} s`);
}
await Deno.writeTextFile(new URL("SHA256SUMS", dist), sums.join(""));
