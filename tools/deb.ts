/**
 * `deno task deb`: Debian packages of the binaries in `dist/`, one a program, because a machine runs
 * one or two of them. Needs dpkg-deb. Each package is then unpacked and its program asked for its
 * version.
 *
 * @module
 */

import { gzipSync } from "node:zlib";
import { readNotices, version } from "#build";
import { commandLine, programs } from "./programs.ts";

const root = new URL("..", import.meta.url);
const architectures: Readonly<Record<string, string>> = { x86_64: "amd64", aarch64: "arm64" };
const maintainer = "Downlink maintainers <maintainers@downlink.invalid>";

/** What a package is made from. */
export interface PackageSource {
  /** `edge` for the package downlink-edge; `cli` for the command line, the package downlink. */
  readonly name: string;
  /** Path of the program. */
  readonly binary: string;
  /** What the program prints for `--help`, for its manual page. */
  readonly help: string;
  /** Debian's name of the machine. */
  readonly architecture: string;
  /** When the change was made that is packaged. */
  readonly date: Date;
}

/** The name of a program's package and binary. */
export function packageName(name: string): string {
  return name === "cli" ? "downlink" : `downlink-${name}`;
}

/** A file of a package. */
interface PackageFile {
  readonly content: string | Uint8Array<ArrayBuffer>;
  readonly mode: number;
}

const summaries: Readonly<Record<string, string>> = {
  cli: "purge and look at a Downlink CDN from a shell",
  control: "purge log, topology and node health of a CDN",
  edge: "caching reverse proxy near the homes",
  headend: "media objects to satellite multicast (FLUTE)",
  shield: "cache in front of an origin, one fetch for all edges",
  stb: "satellite multicast receiver and cache for the home",
};

/** The control file of a package. */
function controlFile({ name, architecture }: PackageSource, kibibytes: number): string {
  const service = name === "cli" ? "" : ", systemd | systemd-standalone-sysusers";
  return [
    `Package: ${packageName(name)}`,
    `Version: ${version}-1`,
    `Architecture: ${architecture}`,
    `Maintainer: ${maintainer}`,
    `Installed-Size: ${kibibytes}`,
    `Depends: libc6 (>= 2.31), libgcc-s1${service}`,
    "Section: net",
    "Priority: optional",
    `Description: ${summaries[name]}`,
    " Downlink delivers video as one CDN over two roads: satellite multicast, which",
    " costs the same for one home or ten million, and the internet, which repairs",
    " what the satellite missed.",
    "",
  ].join("\n");
}

/** A manual page that holds what `--help` says. */
function manualPage({ name, help }: PackageSource): string {
  const title = packageName(name);
  const text = help.trimEnd().replaceAll("\\", "\\e").replaceAll("-", "\\-").replace(
    /^[.']/gm,
    "\\&$&",
  );
  const head = `.TH ${title.toUpperCase()} ${name === "cli" ? 1 : 8} "" "Downlink ${version}"`;
  return `${head}\n.SH NAME\n${title} \\- ${summaries[name]}\n.SH DESCRIPTION\n.nf\n${text}\n.fi\n`;
}

/** The changelog that Debian wants; what changed is in the tree's history. */
function changelog({ name, date }: PackageSource): string {
  const day = date.toUTCString().replace("GMT", "+0000");
  return `${packageName(name)} (${version}-1) stable; urgency=medium\n\n` +
    `  * Built from the source of Downlink ${version}.\n\n -- ${maintainer}  ${day}\n`;
}

const gzip = (text: string) => new Uint8Array(gzipSync(text, { level: 9 }));

/** All files of a package but the program, by path. */
async function packageFiles(source: PackageSource): Promise<Map<string, PackageFile>> {
  const { name } = source;
  const title = packageName(name);
  const read = (path: string) => Deno.readTextFile(new URL(path, root));
  const files = new Map<string, PackageFile>();
  const add = (path: string, content: PackageFile["content"], mode = 0o644) =>
    files.set(path, { content, mode });
  const doc = `usr/share/doc/${title}`;
  add(
    `${doc}/copyright`,
    `Downlink ${version}\n\nCopyright: the Downlink authors\n\n${readNotices()}`,
  );
  add(`${doc}/changelog.Debian.gz`, gzip(changelog(source)));
  const section = name === "cli" ? 1 : 8;
  add(`usr/share/man/man${section}/${title}.${section}.gz`, gzip(manualPage(source)));
  const overrides = await read("packaging/debian/lintian-overrides");
  add(`usr/share/lintian/overrides/${title}`, overrides.replaceAll("@PACKAGE@", title));
  if (name === "cli") return files;
  add(`${doc}/install.md.gz`, gzip(await read("docs/install.md")));
  add(`etc/downlink/${name}.json`, await read(`packaging/config/${name}.json`));
  for (const [from, to] of [["sysusers", "sysusers.d"], ["systemd", "systemd/system"]]) {
    const file = `${title}.${from === "sysusers" ? "conf" : "service"}`;
    add(`usr/lib/${to}/${file}`, await read(`packaging/${from}/${file}`));
  }
  add("DEBIAN/conffiles", `/etc/downlink/${name}.json\n`);
  for (const script of ["postinst", "prerm", "postrm"]) {
    const text = await read(`packaging/debian/${script}`);
    add(`DEBIAN/${script}`, text.replaceAll("@PACKAGE@", title).replaceAll("@NAME@", name), 0o755);
  }
  return files;
}

/** Runs a program and returns what it printed. */
async function ask(command: string, ...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command, { args }).output();
  const text = new TextDecoder();
  if (!success) throw new Error(`Cannot run ${command}: ${text.decode(stderr).trim()}`);
  return text.decode(stdout);
}

/** Lays out a package in a folder. */
async function layOut(source: PackageSource, folder: string): Promise<void> {
  const files = await packageFiles(source);
  const program = `usr/bin/${packageName(source.name)}`;
  const { size } = await Deno.stat(source.binary);
  const bytes = [...files.values()].reduce((sum, { content }) => sum + content.length, size);
  files.set("DEBIAN/control", {
    content: controlFile(source, Math.ceil(bytes / 1024)),
    mode: 0o644,
  });
  const paths = [...files.keys(), program];
  const folders = new Set<string>([folder]);
  for (const path of paths) {
    const parts = path.split("/").slice(0, -1);
    parts.forEach((_, at) => folders.add(`${folder}/${parts.slice(0, at + 1).join("/")}`));
  }
  for (const path of folders) {
    await Deno.mkdir(path, { recursive: true });
    await Deno.chmod(path, 0o755);
  }
  for (const [path, { content, mode }] of files) {
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
    await Deno.writeFile(`${folder}/${path}`, bytes);
    await Deno.chmod(`${folder}/${path}`, mode);
  }
  await Deno.copyFile(source.binary, `${folder}/${program}`);
  await Deno.chmod(`${folder}/${program}`, 0o755);
}

/** Builds a package and returns its path below `output`. */
export async function buildPackage(source: PackageSource, output: string): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "downlink-deb-" });
  const file = `${output}/${packageName(source.name)}_${version}-1_${source.architecture}.deb`;
  try {
    await layOut(source, folder);
    await ask("dpkg-deb", "--root-owner-group", "-Zgzip", "-z6", "--build", folder, file);
    return file;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Unpacks a package and returns what its program says of its version. */
export async function versionOfPackage(file: string, name: string): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "downlink-deb-" });
  try {
    await ask("dpkg-deb", "-x", file, folder);
    return (await ask(`${folder}/usr/bin/${packageName(name)}`, "--version")).trim();
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** When the tree was last changed, or now where git does not know. */
async function lastChange(): Promise<Date> {
  const seconds = await ask("git", "log", "-1", "--format=%ct").catch(() => "");
  return seconds === "" ? new Date() : new Date(Number(seconds) * 1000);
}

if (import.meta.main) {
  const dist = new URL("dist", root).pathname;
  const date = await lastChange();
  const architecture = architectures[Deno.build.arch];
  for (const { name } of [...programs, commandLine]) {
    const binary = `${dist}/${packageName(name)}`;
    const help = await ask(binary, "--help");
    const file = await buildPackage({ name, binary, help, architecture, date }, dist);
    const line = `${file}: ${await versionOfPackage(file, name)}\n`;
    Deno.stdout.writeSync(new TextEncoder().encode(line));
  }
}
