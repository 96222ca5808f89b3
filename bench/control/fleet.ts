/**
 * `deno run -A bench/control/fleet.ts [boxes [older checkout]]`: what a fleet of set-top boxes costs `downlink-control`,
 * a real process over real sockets on loopback. Every box registers, reports twice one by one, and
 * twice through gateways that speak for 500; then a purge that all report applied. CPU time is read
 * from the kernel (proc(5)), and each box is counted back from `GET /fleet`. Of an older checkout that
 * knows no fleet only what it has is measured.
 *
 * @module
 */

import { freePort } from "../peers/servers.ts";

const boxes = Number(Deno.args[0] ?? 10_000);
const connections = 32;
const perGateway = 500;
const older = Deno.args[1];
const root = older === undefined ? new URL("../..", import.meta.url) : `${older}/`;
const ticksPerSecond = 100;

function print(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}

/** CPU time of a process so far, in microseconds. */
function cpuMicroseconds(pid: number): number {
  const fields = Deno.readTextFileSync(`/proc/${pid}/stat`).split(") ")[1].split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 1e6 / ticksPerSecond;
}

/** Resident memory of a process, in MiB. */
function residentMiB(pid: number): number {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024;
}

async function startControl(dir: string): Promise<{ url: string; child: Deno.ChildProcess }> {
  const [port, admin] = [freePort(), freePort()];
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-A", "-q", "--no-check", "control/main.ts", "--data", dir],
      ...["--listen", `127.0.0.1:${port}`, "--admin", `127.0.0.1:${admin}`],
      ...["--log-level", "error"],
    ],
    cwd: root,
    stdout: "null",
  }).spawn();
  for (let tries = 0; tries < 200; tries++) {
    const answer = await fetch(`http://127.0.0.1:${admin}/readyz`).catch(() => undefined);
    await answer?.body?.cancel();
    if (answer?.status === 200) return { url: `http://127.0.0.1:${port}`, child };
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("Cannot measure: need a control that starts");
}

const idOf = (n: number) => `stb-${n}`;
const regionOf = (n: number) => `region-${n % 8}`;

/** The figures of a box after so many reports. */
function figuresOf(n: number, round: number) {
  const packetsExpected = 40_000 * round;
  return {
    uptimeSeconds: 60 * round,
    packetsExpected,
    packetsLost: n % 10 === 0 ? packetsExpected / 50 : 3 * round,
    repairRequests: round,
    repairBytes: 4_000 * round,
    bytesByRoad: { satellite: 45_000_000 * round, repair: 4_000 * round, internet: 0 },
  };
}

interface Ask {
  readonly path: string;
  readonly body: unknown;
}

/** Sends requests over so many connections, each waiting for its answer. */
async function sendAll(url: string, asks: readonly Ask[]): Promise<void> {
  using client = Deno.createHttpClient({ poolMaxIdlePerHost: connections });
  let next = 0;
  const send = async () => {
    while (next < asks.length) {
      const { path, body } = asks[next++];
      const init = { method: "POST", body: JSON.stringify(body), client };
      const answer = await fetch(url + path, init);
      if (!answer.ok) throw new Error(`Cannot measure: need success of ${path}: ${answer.status}`);
      await answer.body?.cancel();
    }
  };
  await Promise.all(Array.from({ length: connections }, send));
}

/** Runs one phase; prints CPU time a report. */
async function phase(
  what: string,
  { url, child }: { url: string; child: Deno.ChildProcess },
  asks: readonly Ask[],
  reports: number,
): Promise<void> {
  const [beforeCpu, beforeMs] = [cpuMicroseconds(child.pid), performance.now()];
  await sendAll(url, asks);
  const cpu = (cpuMicroseconds(child.pid) - beforeCpu) / reports;
  const perSecond = reports / (performance.now() - beforeMs) * 1000;
  const share = cpu * boxes / 60 / 1e4; // percent of one processor at a report a minute
  print(
    `| ${what} | ${cpu.toFixed(1)} | ${Math.round(perSecond)} | ${share.toFixed(2)} % | ${
      residentMiB(child.pid).toFixed(0)
    } |`,
  );
}

const all = Array.from({ length: boxes }, (_, n) => n);

function nodeOf(n: number) {
  const url = `http://10.0.${n >> 8}.${n & 255}:8090`;
  return { id: idOf(n), role: "stb", url, adminUrl: url, region: regionOf(n), version: "0.1.0" };
}

function beats(round: number, appliedSeq = 0): Ask[] {
  return all.map((n) => {
    const body = { appliedSeq, snapshot: 1, box: figuresOf(n, round) };
    return { path: `/nodes/${idOf(n)}/heartbeat`, body };
  });
}

const dir = await Deno.makeTempDir({ prefix: "downlink-fleet-" });
const control = await startControl(dir);
try {
  print(`${residentMiB(control.child.pid).toFixed(0)} MiB resident before any box.`);
  print("");
  print(`| ${boxes} boxes | CPU us a report | reports/s | at a report a minute | RSS MiB |`);
  print("| --- | ---: | ---: | ---: | ---: |");
  await phase(
    "register",
    control,
    all.map((n) => ({ path: "/nodes", body: { ...nodeOf(n), box: figuresOf(n, 1) } })),
    boxes,
  );
  for (const round of [2, 3]) await phase("report, one by one", control, beats(round), boxes);
  if (older === undefined) await fleetPhases();
} finally {
  control.child.kill("SIGTERM");
  await control.child.status;
  await Deno.remove(dir, { recursive: true });
}

/** What an older control does not have. */
async function fleetPhases(): Promise<void> {
  const json = async (path: string, init?: RequestInit) =>
    await (await fetch(control.url + path, init)).json();
  const batches = (round: number) => {
    const starts = all.filter((n) => n % perGateway === 0);
    return starts.map((start) => {
      const report = (n: number) => {
        return { id: idOf(n), region: regionOf(n), version: "0.1.0", box: figuresOf(n, round) };
      };
      return {
        path: "/fleet/reports",
        body: { reports: all.slice(start, start + perGateway).map(report) },
      };
    });
  };
  for (const round of [4, 5]) {
    await phase(`report, ${perGateway} by a gateway`, control, batches(round), boxes);
  }
  const order = { method: "POST", body: JSON.stringify({ kind: "all" }) };
  const { id, seq } = await json("/purges", order);
  await phase("report that a purge is applied", control, beats(6, seq), boxes);
  const purge = await json(`/purges/${id}`);
  const startMs = performance.now();
  const fleet = await json("/fleet");
  const readMs = performance.now() - startMs;
  const { number } = await json("/topology");
  print("");
  print(
    `Purge ${purge.state}, applied by ${purge.nodes.applied} of ${purge.nodes.total}; ` +
      `${fleet.boxes} boxes in ${fleet.regions.length} regions, read in ${readMs.toFixed(1)} ms; ` +
      `snapshot number ${number}.`,
  );
}
