/**
 * Asking the kernel for a larger receive buffer. The runtime has no call for it, so the socket is
 * found among this process's descriptors and libc is asked; without FFI the default buffer stays,
 * which holds about 200 KB of burst.
 *
 * @module
 */

import { parseIpv4, type UdpAddress } from "./address.ts";

/** What came of it. */
export interface ReceiveBuffer {
  /** As the kernel counts it: its own bookkeeping included, so about twice the payload. */
  readonly receiveBufferBytes: number | undefined;
  /** One sentence when it is not as large as asked. */
  readonly receiveBufferNote: string | undefined;
}

/**
 * Where libc may be: by name when every library is allowed, else one that is allowed by its path.
 */
const libcPaths = [
  "libc.so.6",
  "/lib/x86_64-linux-gnu/libc.so.6",
  "/lib/aarch64-linux-gnu/libc.so.6",
  "/lib64/libc.so.6",
];

const symbols = {
  getsockname: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  getsockopt: { parameters: ["i32", "i32", "i32", "buffer", "buffer"], result: "i32" },
  setsockopt: { parameters: ["i32", "i32", "i32", "buffer", "u32"], result: "i32" },
} as const;

type Libc = Deno.DynamicLibrary<typeof symbols>["symbols"];

/** Values of Linux on the processors that Deno runs on. */
const afInet = 2;
const solSocket = 1;
const soType = 3;
const soRcvbuf = 8;
const soRcvbufForce = 33;
const sockDgram = 2;

/** Descriptors looked at: a receiver opens its sockets early. */
const mostDescriptors = 4096;

/** Raises the receive buffer of the datagram sockets bound to `address`. Never throws. */
export function raiseReceiveBuffer(address: UdpAddress, bytes: number): ReceiveBuffer {
  if (Deno.build.os !== "linux") {
    return refused(`need Linux: received ${Deno.build.os}`);
  }
  const path = allowedLibc();
  if (!path) return refused("need --allow-ffi: received no such permission");
  try {
    const library = Deno.dlopen(path, symbols);
    try {
      return raise(library.symbols, address, bytes);
    } finally {
      library.close();
    }
  } catch (error) {
    return refused(`need ${path}: received ${error instanceof Error ? error.message : error}`);
  }
}

/**
 * Asks without ever prompting. A name without a folder can be loaded only when all libraries are
 * allowed.
 */
function allowedLibc(): string | undefined {
  const granted = (path?: string) =>
    Deno.permissions.querySync({ name: "ffi", path }).state === "granted";
  return granted() ? libcPaths[0] : libcPaths.slice(1).find(granted);
}

function raise(libc: Libc, address: UdpAddress, bytes: number): ReceiveBuffer {
  let granted: number | undefined;
  for (let descriptor = 0; descriptor < mostDescriptors; descriptor++) {
    if (!isBoundTo(libc, descriptor, address)) continue;
    setOption(libc, descriptor, soRcvbuf, bytes);
    if (half(libc, descriptor) < bytes) setOption(libc, descriptor, soRcvbufForce, bytes);
    granted = getOption(libc, descriptor, soRcvbuf);
  }
  if (granted === undefined) return refused("need the socket's descriptor: received none");
  const enough = granted / 2 >= bytes;
  return {
    receiveBufferBytes: granted,
    receiveBufferNote: enough ? undefined : `Cannot raise the receive buffer to ${bytes} bytes: ` +
      `need a larger net.core.rmem_max: received ${granted / 2}`,
  };
}

function isBoundTo(libc: Libc, descriptor: number, { host, port }: UdpAddress): boolean {
  const name = new Uint8Array(16); // struct sockaddr_in
  const length = new Uint32Array([name.length]);
  if (libc.getsockname(descriptor, name, new Uint8Array(length.buffer)) !== 0) return false;
  if (new Uint16Array(name.buffer)[0] !== afInet) return false;
  if (name[2] * 256 + name[3] !== port) return false;
  const wanted = parseIpv4(host);
  if (!wanted?.every((byte, i) => byte === name[4 + i])) return false;
  return getOption(libc, descriptor, soType) === sockDgram;
}

function half(libc: Libc, descriptor: number): number {
  return getOption(libc, descriptor, soRcvbuf) / 2;
}

function getOption(libc: Libc, descriptor: number, option: number): number {
  const value = new Int32Array(1);
  const length = new Uint32Array([4]);
  libc.getsockopt(
    descriptor,
    solSocket,
    option,
    new Uint8Array(value.buffer),
    new Uint8Array(length.buffer),
  );
  return value[0];
}

function setOption(libc: Libc, descriptor: number, option: number, value: number): void {
  const bytes = new Uint8Array(new Int32Array([value]).buffer);
  libc.setsockopt(descriptor, solSocket, option, bytes, bytes.length);
}

function refused(why: string): ReceiveBuffer {
  return {
    receiveBufferBytes: undefined,
    receiveBufferNote: `Cannot raise the receive buffer: ${why}`,
  };
}
