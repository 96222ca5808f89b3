/**
 * `deno task demo`: the whole road on one machine, to look at or to check.
 *
 * @module
 */

import { probeMulticast } from "#multicast";
import { listen } from "#program";
import { findingsTable } from "./check/finding.ts";
import { runCheck } from "./check/run.ts";
import type { Child, ChildEnd } from "./child.ts";
import { Lab, labApp } from "./lab.ts";
import { type DemoOptions, help, readOptions } from "./options.ts";
import { makePageFolder } from "./page_folder.ts";
import { Ports } from "./ports.ts";
import { complain, layOut, print } from "./screen.ts";
import { System } from "./system.ts";

const startedMs = performance.now();
/** A check that takes longer has failed. */
const checkLimitMs = 58_000;

/** Resolves at the first signal; a second one ends the demo at once. */
function signalled(): Promise<void> {
  return new Promise((resolve) => {
    let count = 0;
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      Deno.addSignalListener(signal, () => ++count === 1 ? resolve() : Deno.exit(130));
    }
  });
}

function elapsed(): string {
  return `${((performance.now() - startedMs) / 1000).toFixed(1).padStart(5)} s`;
}

function progress(line: string): void {
  print(`${elapsed()}  ${line}`);
}

function reportDeath(child: Child, { code, signal }: ChildEnd): void {
  complain(`${child.name} ended ${signal ? `by ${signal}` : `with code ${code}`}; its last lines:`);
  for (const line of child.lastLines.slice(-12)) complain(`  ${line}`);
}

/** Whether datagrams to a group come back on the loopback; says why when they do not. */
async function multicastWorks(): Promise<boolean> {
  const verdict = await probeMulticast("127.0.0.1");
  if (verdict !== true) print(`${verdict}; the packets go to one receiver instead`);
  return verdict === true;
}

/** Everything that must be undone, whatever happens. */
class Demo {
  readonly #dir = Deno.makeTempDirSync({ prefix: "downlink-demo-" });
  readonly #options: DemoOptions;
  readonly #ports: Ports;
  #system: System | undefined;
  #closeLab: () => Promise<void> = () => Promise.resolve();
  #onDeath: (sentence: string) => void = () => {};
  /** Resolves when a process died. */
  readonly died = new Promise<string>((resolve) => this.#onDeath = resolve);

  constructor(options: DemoOptions) {
    this.#options = options;
    this.#ports = new Ports({ usual: !options.check });
  }

  /** Starts the system; `page` says whether people will look at it. */
  async start({ page }: { page: boolean }): Promise<{ system: System; lab: Lab; labUrl: string }> {
    const multicast = !this.#options.unicast && await multicastWorks();
    const labPort = this.#ports.tcp(8091);
    const labUrl = `http://127.0.0.1:${labPort}`;
    const pageFolder = `${this.#dir}/page`;
    if (page) await makePageFolder(pageFolder, labUrl);
    const system = this.#system = new System({
      ports: this.#ports,
      dir: this.#dir,
      binaries: this.#options.binaries,
      page: page ? pageFolder : undefined,
      multicast,
      progress,
      onDeath: (child, end) => {
        reportDeath(child, end);
        this.#onDeath(`Cannot go on: need ${child.name} to run: it ended`);
      },
    });
    const lab = new Lab(system.addresses);
    if (page) this.#serveLab(lab, labPort);
    await system.start();
    if (this.#options.lossPercent > 0) await lab.setLoss(this.#options.lossPercent / 100);
    return { system, lab, labUrl };
  }

  async stop(): Promise<void> {
    await this.#system?.stop();
    await this.#closeLab();
    await Deno.remove(this.#dir, { recursive: true }).catch(() => {});
  }

  #serveLab(lab: Lab, port: number): void {
    const boxPort = new URL(this.#system!.addresses["stb-1"].url).port;
    const pages = ["127.0.0.1", "localhost"].map((host) => `http://${host}:${boxPort}`);
    const app = labApp(lab, pages);
    const server = listen({ hostname: "127.0.0.1", port }, {
      handler: (request) => app.fetch(request),
    });
    this.#closeLab = () => server.drain(500);
  }
}

/** Waits until the box hands out the first bytes of the picture. */
async function firstPicture(url: string): Promise<void> {
  for (;;) {
    try {
      const answer = await fetch(url, { signal: AbortSignal.timeout(20_000) });
      const reader = answer.body?.getReader();
      const first = answer.ok ? await reader?.read() : undefined;
      await reader?.cancel();
      if (first?.value) return;
    } catch {
      // Not yet: the box is asked again.
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

function printAddresses(system: System): void {
  const at = (name: keyof System["addresses"]) => system.addresses[name];
  const box = at("stb-1").url;
  print();
  for (
    const line of layOut([
      ["Page", `${box}/ui/`],
      ["Channel, HLS", `${box}/one/index.m3u8`],
      ["Channel, CMAF", `${box}/one/cmaf/master.m3u8`],
      ["Channel, DASH", `${box}/one/cmaf/manifest.mpd`],
      ["Channel, MPEG-TS", `${box}/live/one.ts`],
      ["Service list", `${box}/dvbi/services.xml`],
      ["Satellite", `udp ${system.downlink}`],
      ["Origin", `${at("origin").url}/one/index.m3u8`],
      ["Shield", `${at("shield-1").url}  metrics ${at("shield-1").adminUrl}/metrics`],
      ["Edge 1", `${at("edge-1").url}  metrics ${at("edge-1").adminUrl}/metrics`],
      ["Edge 2", `${at("edge-2").url}  metrics ${at("edge-2").adminUrl}/metrics`],
      ["Console", `${at("control").url}/console/`],
    ])
  ) print(line);
  print();
  print("Ctrl-C ends it.");
}

async function show(demo: Demo): Promise<number> {
  const stopped = signalled();
  const starting = demo.start({ page: true });
  const outcome = await Promise.race([starting, stopped, demo.died]);
  if (typeof outcome === "string") throw new Error(outcome);
  if (outcome === undefined) return 0;
  const { system } = outcome;
  const live = `${system.addresses["stb-1"].url}/live/one.ts`;
  firstPicture(live).then(() => progress("the first picture is there"));
  printAddresses(system);
  await stopped;
  return 0;
}

async function check(demo: Demo): Promise<number> {
  const stopped = signalled();
  const late = new Promise<string>((resolve) => {
    const sentence = `Cannot pass: need to end within ${checkLimitMs / 1000} s: it took longer`;
    setTimeout(() => resolve(sentence), checkLimitMs);
  });
  const running = demo.start({ page: false })
    .then(({ system, lab }) => runCheck({ system, lab, startedMs, progress }));
  const outcome = await Promise.race([running, stopped, demo.died, late]);
  if (typeof outcome === "string") throw new Error(outcome);
  if (outcome === undefined) return 130;
  print();
  for (const line of findingsTable(outcome)) print(line);
  print();
  const failed = outcome.filter(({ holds }) => !holds).length;
  print(`${outcome.length - failed} hold, ${failed} failed, after${elapsed()}`);
  return failed === 0 ? 0 : 1;
}

async function run(options: DemoOptions): Promise<number> {
  const demo = new Demo(options);
  try {
    return await (options.check ? check(demo) : show(demo));
  } catch (error) {
    complain(error instanceof Error ? error.message : String(error));
    return 1;
  } finally {
    await demo.stop();
  }
}

const reading = readOptions(Deno.args);
if (reading.kind === "help") {
  print(help.trimEnd());
} else if (reading.kind === "refused") {
  complain(reading.sentence);
  Deno.exit(2);
} else {
  Deno.exit(await run(reading.options));
}
