/**
 * What a program tells the service manager that started it: ready, alive, stopping (the datagrams
 * of sd_notify(3)). Without a service manager it tells nobody.
 *
 * @module
 */

/** A service manager that listens. */
export interface ServiceManager {
  /** How often it wants a sign of life, in milliseconds; none when it keeps no watchdog. */
  readonly watchdogMs: number | undefined;
  /** Sends assignments such as `READY=1`; rejects when nobody takes them. */
  tell(state: string): Promise<void>;
  /** Lets go of the socket. */
  close(): void;
}

/** The variables that a service manager sets. */
export const serviceVariables = ["NOTIFY_SOCKET", "WATCHDOG_USEC"] as const;

/** Values of {@linkcode serviceVariables}. */
export type ServiceVariables = { readonly [name in typeof serviceVariables[number]]?: string };

/**
 * Opens the way to the service manager that the variables name, or returns `undefined` without one.
 *
 * @throws {Error} One sentence when there is one that cannot be reached from here.
 */
export function serviceManager(variables: ServiceVariables): ServiceManager | undefined {
  const { NOTIFY_SOCKET: path, WATCHDOG_USEC: watchdog } = variables;
  if (path === undefined || path === "") return undefined;
  if (!path.startsWith("/")) {
    throw new Error(
      `Cannot notify the service manager: need NOTIFY_SOCKET to be a path: received ${path}`,
    );
  }
  const socket = datagramSocket();
  const encoder = new TextEncoder();
  return {
    watchdogMs: watchdogMs(watchdog),
    async tell(state) {
      await socket.send(encoder.encode(state), { transport: "unixpacket", path });
    },
    close: () => socket.close(),
  };
}

/** A socket to send from. Deno binds it to a name; nobody answers there, so the name goes at once. */
function datagramSocket(): Deno.DatagramConn {
  const folder = Deno.makeTempDirSync({ prefix: "downlink-notify-" });
  try {
    return Deno.listenDatagram({ transport: "unixpacket", path: `${folder}/socket` });
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

/** Half of the time after which the watchdog bites, as sd_watchdog_enabled(3) recommends. */
function watchdogMs(microseconds: string | undefined): number | undefined {
  if (microseconds === undefined || !/^[1-9]\d{0,15}$/.test(microseconds)) return undefined;
  return Math.min(Math.max(1, Math.floor(Number(microseconds) / 2000)), 2 ** 31 - 1);
}
