/**
 * What the tests use from Debian, and how it gets there: as root it is installed after saying so;
 * otherwise the tests that need it are skipped by name.
 *
 * @module
 */

import { buildFlutePeer, fetchKafka, flutePeerVersion, kafkaVersion } from "#rigs";

/** A program or shared library that some tests drive or ask. */
interface Tool {
  readonly binary: string;
  readonly packages: readonly string[];
  readonly why: string;
}

const tools: readonly Tool[] = [
  { binary: "mvn", packages: ["maven"], why: "fetches Apache Kafka" },
  { binary: "java", packages: ["default-jre-headless"], why: "runs Apache Kafka" },
  { binary: "redis-server", packages: ["redis-server"], why: "leases tokens to nodes" },
  { binary: "traffic_server", packages: ["trafficserver"], why: "keeps what an edge stores" },
  { binary: "varnishd", packages: ["varnish"], why: "keeps what a shield stores" },
  {
    binary: "radosgw",
    packages: ["radosgw", "ceph-mon", "ceph-osd", "ceph-mgr", "ceph-common"],
    why: "is an S3 origin",
  },
  { binary: "mkfs.ext4", packages: ["e2fsprogs"], why: "makes the disk whose power is cut" },
  { binary: "mkfs.xfs", packages: ["xfsprogs"], why: "makes a disk that is cloned at one moment" },
  { binary: "chromium", packages: ["chromium"], why: "drives the page of the set-top box" },
  { binary: "tshark", packages: ["tshark"], why: "reads the packets that we send" },
  { binary: "ffprobe", packages: ["ffmpeg"], why: "reads the timestamps of the live channel" },
  { binary: "systemd-analyze", packages: ["systemd"], why: "judges the units of the services" },
  { binary: "lintian", packages: ["lintian"], why: "judges the Debian packages" },
  { binary: "liblcrq.so.0.0", packages: ["liblcrq0.0"], why: "codes RaptorQ beside ours" },
];

function print(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}

async function run(command: string, args: readonly string[]): Promise<boolean> {
  try {
    const { success, stderr } = await new Deno.Command(command, {
      args: [...args],
      env: { DEBIAN_FRONTEND: "noninteractive" },
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).output();
    if (!success) print(new TextDecoder().decode(stderr).trim().split("\n").slice(-3).join("\n"));
    return success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

async function isInstalled(binary: string): Promise<boolean> {
  const libraries = [`/usr/lib/${Deno.build.arch}-linux-gnu`, "/usr/lib", "/usr/local/lib"];
  const folders = binary.includes(".so.") ? libraries : (Deno.env.get("PATH") ?? "").split(":");
  for (const folder of folders) {
    const info = await Deno.stat(`${folder}/${binary}`).catch(() => undefined);
    if (info?.isFile) return true;
  }
  return false;
}

async function missingTools(): Promise<Tool[]> {
  const missing: Tool[] = [];
  for (const tool of tools) if (!await isInstalled(tool.binary)) missing.push(tool);
  return missing;
}

/** Installs and fetches what is missing, or says what stays missing and why. */
export async function setUp({ install }: { install: boolean }): Promise<void> {
  await installTools(install);
  if (!install) return;
  await setUpKafka();
  await setUpFlutePeer();
}

/** Builds the FLUTE sender and receiver that ours is tried against. */
async function setUpFlutePeer(): Promise<void> {
  const problem = await buildFlutePeer();
  if (problem === undefined) return;
  print(`The crate ${flutePeerVersion} could not be built: ${problem}; its tests are skipped.`);
}

/** Fetches Kafka's jars; where that cannot be, a library that mocks a broker. */
async function setUpKafka(): Promise<void> {
  const problem = await fetchKafka();
  if (problem === undefined) return;
  print(`Apache Kafka ${kafkaVersion} could not be fetched: ${problem}`);
  const root = Deno.uid() === 0 && await isInstalled("apt-get");
  const mock = root && await run("apt-get", ["install", "-y", "-qq", "librdkafka1"]);
  const rest = "those that need a broker which can be stopped are skipped by name";
  print(mock ? `librdkafka's mock cluster stands in for it; ${rest}.` : "Its tests are skipped.");
}

async function installTools(install: boolean): Promise<void> {
  const missing = await missingTools();
  if (missing.length === 0) return;
  const root = Deno.uid() === 0 && await isInstalled("apt-get");
  const verb = install && root ? "Installing from Debian" : "Missing";
  for (const { binary, packages, why } of missing) {
    print(`${verb}: ${packages.join(" ")} (${binary} ${why})`);
  }
  if (!install || !root) {
    const reason = install ? "need root and apt-get to install" : "--no-setup was given";
    print(`The tests that need them are skipped by name: ${reason}.`);
    return;
  }
  const packages = missing.flatMap((tool) => tool.packages);
  const installed = await run("apt-get", ["update", "-qq"]) &&
    await run("apt-get", ["install", "-y", "--no-install-recommends", "-qq", ...packages]);
  if (!installed) {
    print(
      "Debian's packages could not be installed; the tests that need them are skipped by name.",
    );
  }
}
