/**
 * An independent FLUTE sender and receiver: the Rust crate `flute` as a small program, built once by
 * cargo from wherever it is set up to fetch, and kept outside of the tree.
 *
 * @module
 */

const source = new URL("./flute_peer/", import.meta.url).pathname;

/** The crate that the program is made of. */
export const flutePeerVersion = "flute 1.11.7";

function folder(): string {
  const cache = Deno.env.get("XDG_CACHE_HOME") ?? `${Deno.env.get("HOME") ?? "/tmp"}/.cache`;
  return `${cache}/downlink-tests/${flutePeerVersion.replace(" ", "-")}`;
}

function program(): string {
  return `${folder()}/debug/flute_peer`;
}

/** Whether the program was built. */
export function hasFlutePeer(): boolean {
  try {
    return Deno.statSync(program()).isFile;
  } catch {
    return false;
  }
}

/** Builds the program unless it is there; returns what stood in the way. */
export async function buildFlutePeer(): Promise<string | undefined> {
  if (hasFlutePeer()) return undefined;
  const work = await Deno.makeTempDir({ prefix: "downlink-flute-peer-" });
  try {
    // In a copy: the lock file that cargo writes names the registry it fetched from.
    await Deno.mkdir(`${work}/src`);
    for (const file of ["Cargo.toml", "src/main.rs"]) {
      await Deno.copyFile(source + file, `${work}/${file}`);
    }
    const { success, stderr } = await new Deno.Command("cargo", {
      args: ["build", "-q", "--manifest-path", `${work}/Cargo.toml`, "--target-dir", folder()],
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).output();
    if (success) return undefined;
    return new TextDecoder().decode(stderr).trim().split("\n").slice(-1)[0].slice(0, 300);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "cargo is not installed";
    throw error;
  } finally {
    await Deno.remove(work, { recursive: true });
  }
}

/** How the peer cuts and protects files. */
export interface PeerCoding {
  /** FEC encoding ID: 0, 5 or 6. */
  readonly encodingId: number;
  readonly symbolBytes: number;
  readonly blockSymbols: number;
  /** Repair symbols of each block. */
  readonly repairSymbols: number;
}

/** The packets by which the peer sends files; each is named by the last part of its path. */
export async function peerPackets(
  { encodingId, symbolBytes, blockSymbols, repairSymbols }: PeerCoding,
  files: readonly string[],
): Promise<Uint8Array[]> {
  const numbers = [encodingId, symbolBytes, blockSymbols, repairSymbols].map(String);
  const { success, stdout, stderr } = await new Deno.Command(program(), {
    args: ["send", ...numbers, ...files],
    stdout: "piped",
    stderr: "piped",
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  const view = new DataView(stdout.buffer, stdout.byteOffset, stdout.length);
  const packets: Uint8Array[] = [];
  for (let at = 0; at < stdout.length;) {
    const length = view.getUint32(at);
    packets.push(stdout.slice(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return packets;
}

/** Lets the peer receive packets into a folder; returns what it complained of. */
export async function peerReceives(packets: readonly Uint8Array[], dir: string): Promise<string> {
  const command = new Deno.Command(program(), {
    args: ["receive", dir],
    stdin: "piped",
    stdout: "null",
    stderr: "piped",
  });
  const process = command.spawn();
  const writer = process.stdin.getWriter();
  for (const packet of packets) {
    const framed = new Uint8Array(4 + packet.length);
    new DataView(framed.buffer).setUint32(0, packet.length);
    framed.set(packet, 4);
    await writer.write(framed);
  }
  await writer.close();
  const { success, stderr } = await process.output();
  const complaints = new TextDecoder().decode(stderr).trim();
  if (!success) throw new Error(complaints);
  return complaints;
}
