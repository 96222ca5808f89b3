/**
 * `deno task notices`: collects the licences of all that `deno compile` puts into a binary, which is
 * Deno and every npm package of deno.lock, into lib/build/notices.txt. Packages with the same text
 * share it.
 *
 * @module
 */

const root = new URL("..", import.meta.url);
const decoder = new TextDecoder();
const rule = "=".repeat(78);

/** Returns the npm packages of a lock file as `name@version`, sorted. */
export function lockedPackages(lock: string): string[] {
  const { npm } = JSON.parse(lock) as { npm: Record<string, unknown> };
  // `a@1.0.0_b@2.0.0` is a@1.0.0 beside the peer b@2.0.0.
  const names = Object.keys(npm).map((key) => /^@?[^@]+@[^_]+/.exec(key)?.[0] ?? key);
  return [...new Set(names)].sort();
}

/** Returns the packages that a text of notices names. */
export function noticedPackages(notices: string): string[] {
  return [...notices.matchAll(/^npm package (\S+)$/gm)].map(([, name]) => name).sort();
}

/** The folder in which Deno keeps what it has fetched from the registry. */
async function registryCache(): Promise<string> {
  const command = new Deno.Command(Deno.execPath(), {
    args: ["info", "--json"],
    cwd: root,
    stderr: "inherit",
  });
  const { npmCache } = JSON.parse(decoder.decode((await command.output()).stdout));
  for await (const { name, isDirectory } of Deno.readDir(npmCache)) {
    const found = isDirectory && await Deno.stat(`${npmCache}/${name}/hono`).catch(() => undefined);
    if (found) return `${npmCache}/${name}`;
  }
  throw new Error(`Cannot collect notices: need the packages in ${npmCache}: received none`);
}

/** The licence text of one package, from its own files. */
async function licenceText(folder: string): Promise<string> {
  const files: string[] = [];
  for await (const { name, isFile } of Deno.readDir(folder)) {
    if (isFile && /licen[sc]e|notice|copying|copyright/i.test(name)) files.push(name);
  }
  const texts = files.sort().map((name) => Deno.readTextFileSync(`${folder}/${name}`));
  if (texts.length > 0) {
    return texts.map((text) => text.replaceAll("\r\n", "\n").trim()).join("\n\n");
  }
  const { license, author } = JSON.parse(await Deno.readTextFile(`${folder}/package.json`));
  if (!license) throw new Error(`Cannot collect notices: need a licence: received ${folder}`);
  return `Licence ${license}, by ${author?.name ?? author}; the package holds no text of it.`;
}

async function collect(): Promise<string> {
  const cache = await registryCache();
  const byText = new Map<string, string[]>();
  const lock = await Deno.readTextFile(new URL("deno.lock", root));
  for (const name of lockedPackages(lock)) {
    const at = name.lastIndexOf("@");
    const text = await licenceText(`${cache}/${name.slice(0, at)}/${name.slice(at + 1)}`);
    byText.set(text, [...(byText.get(text) ?? []), name]);
  }
  const deno = await Deno.readTextFile(new URL("lib/build/deno_license.txt", root));
  const sections = [`Deno, the runtime\n\n${deno.trim()}`];
  for (const [text, names] of byText) {
    sections.push(`${names.map((name) => `npm package ${name}`).join("\n")}\n\n${text}`);
  }
  return sections.map((section) => `${rule}\n${section}\n`).join("\n");
}

if (import.meta.main) {
  const file = new URL("lib/build/notices.txt", root);
  await Deno.writeTextFile(file, await collect());
  Deno.stdout.writeSync(new TextEncoder().encode(`${file.pathname}\n`));
}
