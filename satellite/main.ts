/**
 * `downlink-headend`: objects from a shield to multicast packets. Its files lie side by side in this
 * folder, one idea each, because the folder is the headend and nothing else.
 *
 * @module
 */

import { version } from "#build";
import { BadValue, formatHostPort, type Settings } from "#config";
import { isMulticast, openSender } from "#multicast";
import { readSigner, type Signer } from "#notice";
import { joinControl, type NodeLink, ProcessLoad, type ProgramContext, runProgram } from "#program";
import { PurgeIndex } from "#purge";
import type { NodeFigures } from "#topology";
import { headendApp } from "./app.ts";
import { filesOfFlags, filesOfPlan } from "./carousel_plan.ts";
import { checkSettings, introduction, parameters, protectionOf } from "./config.ts";
import type { ConfigurationDocuments } from "./configuration_feed.ts";
import { replaceFile, tryReplaceable } from "./document_file.ts";
import { Headend, type HeadendStatus } from "./headend.ts";
import { filesOfInstallation, readInstallation } from "./installation.ts";
import { keyCommand } from "./key_command.ts";
import { contentLength, planCommand } from "./plan_command.ts";
import { WithdrawalFile } from "./withdrawal_file.ts";

type Context = ProgramContext<typeof parameters>;

if (Deno.args[0] === "plan") await runPlanCommand();
if (Deno.args[0] === "key") finish(await keyCommand(Deno.args.slice(1)));
await runProgram({ introduction, parameters, start });

/** The command `plan ...`; the program otherwise. */
async function runPlanCommand(): Promise<never> {
  finish(
    await planCommand(Deno.args.slice(1), {
      env: {},
      readFile: (file) => Deno.readTextFileSync(file),
      sizeOf: contentLength,
    }),
  );
}

function finish({ code, text }: { readonly code: number; readonly text: string }): never {
  const stream = code === 2 ? Deno.stderr : Deno.stdout;
  stream.writeSync(new TextEncoder().encode(text));
  Deno.exit(code);
}

async function start(context: Context): Promise<void> {
  const { settings, log, metrics, admin, setReady, onDrain } = context;
  checkSettings(settings);
  await checkFile("--session-file", settings.sessionFile);
  await checkFile("--bootstrap-file", settings.bootstrapFile);
  const { group, sendTo = group, interface: from, ttl, rate } = settings;
  if (!isMulticast(sendTo.hostname)) {
    log.info("sending to one host", { to: formatHostPort(sendTo) });
  }
  const to = { host: sendTo.hostname, port: sendTo.port };
  const socket = await openSender({ to, interface: from, ttl });
  onDrain(() => socket.close());
  const announcement = await announcementOf(settings);
  onDrain(() => announcement?.socket.close());
  const purges = new PurgeIndex();
  const withdrawn = await WithdrawalFile.open(`${settings.data}/withdrawals.json`);
  const signer = await signerOf(settings.signKey);
  const headend = new Headend({
    origin: settings.origin,
    serviceListKey: settings.serviceList,
    files: [
      ...filesOfFlags(settings.file ?? [], settings.cycle),
      ...(announcement ? filesOfInstallation(announcement.installation) : []),
    ],
    refillMs: Math.min(settings.refill, settings.cycle),
    protection: protectionOf(settings),
    group,
    bitsPerSecond: rate,
    repair: settings.repair ?? [],
    maxObjectBytes: settings.maxObject,
    fetchTimeoutMs: settings.fetchTime,
    parallelFetches: settings.fetches,
    socket,
    announcement,
    purges,
    fenced: settings.control !== undefined,
    notice: signer && {
      signer,
      keys: settings.trustKeys ?? [],
      withdrawals: () => withdrawn.list.withdrawals,
    },
    writeConfiguration: async (documents) => {
      await writeDocuments(context, documents);
      setReady(true);
    },
    log,
    metrics,
  });
  onDrain(() => headend.stop());
  admin.route("/", headendApp(headend));
  const link = await join(context, { purges, headend, withdrawn });
  if (link) onDrain(() => link.leave());
  headend.start();
  log.info("sending", { to: formatHostPort(sendTo), interface: from, kbitPerSecond: rate / 1000 });
}

/** Joins control, when there is one, and waits a moment for the purge log's end. */
async function join(
  { settings, log, metrics, admin, token, onDrain }: Context,
  { purges: index, headend, withdrawn }: {
    readonly purges: PurgeIndex;
    readonly headend: Headend;
    readonly withdrawn: WithdrawalFile;
  },
): Promise<NodeLink | undefined> {
  const { control, data, nodeId = `headend-${settings.admin.port}`, catchUp } = settings;
  if (control === undefined) return undefined;
  const url = `http://${formatHostPort(settings.admin)}`;
  const process = new ProcessLoad(() => performance.now());
  const link = await joinControl({
    control,
    dir: data,
    node: { id: nodeId, role: "headend", url, adminUrl: url, version },
    index,
    log,
    metrics,
    admin,
    token,
    figures: () => headendFigures(process, headend.status),
    onApplied: (entries, logId) => {
      withdrawn.note(logId, entries, index.appliedSeq);
      headend.recheck();
    },
    onGap: (_reason, logId) => {
      withdrawn.note(logId, [], index.appliedSeq);
      headend.recheck();
    },
    onSnapshot: ({ carousel }) => headend.planFiles(filesOfPlan(carousel, settings.cycle)),
  });
  onDrain(() => withdrawn.close());
  withdrawn.note(link.logId, [], index.appliedSeq);
  if (!await link.caughtUp(catchUp)) log.warn("sending before the purge log was reached");
  return link;
}

/** What control is told: a headend answers no clients, it sends. */
function headendFigures(process: ProcessLoad, { bytes }: HeadendStatus): NodeFigures {
  const satellite = Object.values(bytes).reduce((sum, count) => sum + count, 0);
  const none = { connections: 0, requests: 0, errors: 0, hits: 0, misses: 0, fetchedBytes: 0 };
  return { ...process.read(), ...none, bytesByRoad: { satellite } };
}

/** Reads `--nip` and opens the socket of the announcement session. */
async function announcementOf(
  { nip, announce, sendTo, interface: from, ttl }: Settings<typeof parameters>,
) {
  if (nip === undefined) return undefined;
  const text = await Deno.readTextFile(nip).catch((error: Error) => {
    throw new BadValue(`Cannot use --nip: need a file: received ${nip} (${error.message})`);
  });
  const installation = readInstallation(text, nip);
  const to = { host: sendTo?.hostname ?? announce.hostname, port: announce.port };
  const socket = await openSender({ to, interface: from, ttl });
  return { installation, group: announce, socket };
}

/** Reads the key of notices. */
async function signerOf(file: string | undefined): Promise<Signer | undefined> {
  if (file === undefined) return undefined;
  const text = await Deno.readTextFile(file).catch((error) => String(error));
  const signer = await readSigner(text);
  if (signer !== undefined) return signer;
  throw new BadValue(
    `Cannot use --sign-key: need an Ed25519 key in PEM, as downlink-headend key makes: received ${file}`,
  );
}

/** Refuses a file that could not be written later, while somebody is looking. */
async function checkFile(flag: string, file: string | undefined): Promise<void> {
  if (file === undefined) return;
  try {
    await tryReplaceable(file);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new BadValue(
      `Cannot use ${flag}: need a file in a folder that can be written: received ${file} (${reason})`,
    );
  }
}

async function writeDocuments(
  { settings, log }: { settings: Settings<typeof parameters>; log: Context["log"] },
  { full, bootstrap }: ConfigurationDocuments,
): Promise<void> {
  const files = [[settings.sessionFile, full], [settings.bootstrapFile, bootstrap]] as const;
  for (const [file, text] of files) {
    if (file === undefined) continue;
    try {
      await replaceFile(file, text);
      log.info("wrote the gateway configuration", { file, bytes: text.length });
    } catch (error) {
      log.error("Cannot write the gateway configuration: need a folder that can be written", {
        file,
        received: error,
      });
    }
  }
}
