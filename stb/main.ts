/**
 * `downlink-stb`: the set-top box.
 *
 * @module
 */

import { version } from "#build";
import { openDiskStore, type StoredResponse } from "#cache";
import { BadValue, formatHostPort, isLoopback } from "#config";
import { fieldValue } from "#http";
import { folderReader, frontMetrics, joinControl, listen, runProgram } from "#program";
import { PurgeFollower, PurgeIndex } from "#purge";
import { availableFirst, edgesFor, type TopologySnapshot } from "#topology";
import { httpNextHop } from "#upstream";
import { AirLog } from "./air_log.ts";
import { announce } from "./announce.ts";
import { checkSettings, introduction, parameters, schemesOf } from "./config.ts";
import { Home } from "./home.ts";
import { homeMetrics } from "./home_metrics.ts";
import { keptSession, sessionLoader } from "./session_file.ts";
import { noticeKeeper } from "./trust_file.ts";
import { receptionFigures } from "./reception_figures.ts";
import { isPlaylist } from "./stored_head.ts";

await runProgram({
  introduction,
  parameters,
  async start({ settings, log, metrics, admin, token, setReady, onDrain }) {
    const { session, nip, cache, control, listen: at } = settings;
    checkSettings(settings);
    const page = await pageFolder(settings.page);
    const name = settings.nodeId ?? `stb-${at.port}`;
    const counts = homeMetrics(metrics);
    const store = await openStore(cache, settings.cacheSize, counts.diskFault);
    onDrain(() => store.close());
    const index = new PurgeIndex();
    let snapshot: TopologySnapshot | undefined;
    let unavailable: ReadonlySet<string> = new Set();
    const edges = (topology: TopologySnapshot) =>
      availableFirst(edgesFor({ target: name, region: settings.region }, topology), unavailable);

    const airLog = new AirLog();
    const trusted = await noticeKeeper(settings.trustKey, `${cache}/trust.json`);
    const home = new Home({
      name,
      interfaceAddress: settings.interface,
      receiveBufferBytes: settings.receiveBuffer,
      schemes: schemesOf(settings.fec),
      session: {
        load: session === undefined ? undefined : sessionLoader(session),
        kept: keptSession(`${cache}/session.xml`),
      },
      announcement: nip && { group: nip.hostname, port: nip.port },
      store,
      purges: index,
      repair: settings.repair ?? [],
      connect: (url) => httpNextHop({ url, maxSockets: 16, headTimeoutMs: 5000 }),
      edges: () => snapshot === undefined ? [] : edges(snapshot),
      repairFor: settings.repairFor,
      repairBitsPerSecond: settings.repairRate,
      repairParallel: settings.repairParallel,
      serviceList: settings.serviceList,
      page: folderReader(page),
      metrics: counts,
      log,
      onReady: () => setReady(true),
      trust: trusted && {
        keeper: trusted,
        onWithdrawals: (withdrawals) => airLog.hear(withdrawals),
      },
    });
    onDrain(() => home.close());

    // Purges that were missed while the box was off come first: its cache outlives them.
    const caughtUp = Promise.withResolvers<void>();
    const server = listen(at, {
      async handler(request, env) {
        await caughtUp.promise;
        return await home.app.fetch(request, env);
      },
      onEvent: frontMetrics("stb", metrics, log),
    });
    onDrain((timeoutMs) => {
      home.hangUp();
      return server.drain(timeoutMs);
    });
    const address = formatHostPort(server.address);
    if (control !== undefined) {
      const link = await joinControl({
        control,
        dir: settings.data ?? cache,
        node: {
          id: name,
          role: "stb",
          url: settings.publicUrl?.href ?? `http://${address}`,
          adminUrl: `http://${formatHostPort(settings.admin)}`,
          region: settings.region,
          version,
        },
        index,
        log,
        metrics,
        admin,
        token,
        box: () => receptionFigures(home.status()),
        onApplied: () => home.sweep(),
        onGap: () => home.sweep(),
        onSnapshot: (newer) => snapshot = newer,
        onUnavailable: (ids) => unavailable = ids,
      });
      onDrain(() => link.leave());
      if (!await link.caughtUp(settings.catchUp)) {
        log.warn("serving before the purge log was reached");
      }
    } else if (trusted !== undefined) {
      // Nobody else tells this box of purges: what it heard before comes from its own disk.
      const follower = new PurgeFollower({
        source: airLog,
        file: `${settings.data ?? cache}/purges.log`,
        index,
        onApplied: () => home.sweep(),
        onGap: () => home.sweep(),
        onFault: (fault, detail) => log.debug("purges on the air", { fault, detail }),
      });
      const state = await follower.start();
      log.info("purges come over the air", { state, appliedSeq: index.appliedSeq });
      onDrain(() => follower.stop());
    }

    caughtUp.resolve();

    const failed = await home.start();
    if (failed !== undefined) {
      const received = failed.error instanceof Error
        ? failed.error.message
        : `need a gateway configuration: received ${failed.error}`;
      // A file that is not there is a mistake; a server that is away comes back.
      const isFile = session !== undefined && !/^https?:/i.test(session);
      if (isFile) throw new BadValue(`Cannot use --session: ${received}`);
      log.warn("no configuration yet", { reason: received });
    }
    if (settings.mdns === "on") {
      const announcement = announce(
        { name, address: server.address, machineAddresses: machineAddresses(), version },
        {
          // Who cannot be reached from outside is not announced there.
          interfaceAddress: isLoopback(at.hostname) ? "127.0.0.1" : settings.interface,
          onNote: (sentence) => log.warn(sentence),
        },
      );
      onDrain(() => announcement.end());
    }
    log.info("serving", { listen: address, name });
  },
});

async function openStore(
  dir: string,
  budgetBytes: number,
  onFault: Parameters<typeof openDiskStore>[0]["onFault"],
) {
  try {
    return await openDiskStore({ dir: `${dir}/objects`, budgetBytes, pinned, onFault });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new BadValue(
      `Cannot use --cache ${dir} with --cache-size ${budgetBytes}: need a folder for this box ` +
        `alone: received ${reason}`,
    );
  }
}

/** What every player needs first goes last. */
function pinned({ key, fields }: StoredResponse): boolean {
  const type = fieldValue(fields, "content-type");
  return isPlaylist(key, type) || /xml/i.test(type ?? "") ||
    /init[^/]*\.(mp4|m4s)$/i.test(key);
}

/** The folder of the page: the built-in one, or one that must have an index.html. */
async function pageFolder(folder: string | undefined): Promise<URL> {
  if (folder === undefined) return new URL("page/", import.meta.url);
  const base = new URL(`file://${Deno.cwd()}/`);
  const url = new URL(`${folder.replace(/\/*$/, "").replaceAll("%", "%25")}/`, base);
  const index = await Deno.stat(new URL("index.html", url)).catch(() => undefined);
  if (index?.isFile) return url;
  throw new BadValue(`Cannot use --page: need a folder with an index.html: received ${folder}`);
}

function machineAddresses(): string[] {
  try {
    return Deno.networkInterfaces().filter(({ family }) => family === "IPv4")
      .map(({ address }) => address).filter((address) => !address.startsWith("127."));
  } catch {
    return []; // not permitted: nobody is told an address that we do not know
  }
}
