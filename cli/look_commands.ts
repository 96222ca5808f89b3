/**
 * `downlink status` and `downlink nodes`: what there is.
 *
 * @module
 */

import { type Arguments, BadUsage, type Flags } from "./arguments.ts";
import type { NodeView } from "./control_api.ts";
import { type CommandContext, reportOf } from "./purge_command.ts";
import { agoText, columns, orderText } from "./words.ts";

/** The flags of `downlink status` and `downlink nodes`. */
export const lookFlags: Flags = {
  json: { help: "Print control's answers as JSON, one a line." },
};

/** Purges that the overview lists. */
const listed = 10;

/** Shows one purge, or the log, the nodes and the newest purges. Exit codes: 0, 1 refused. */
export async function statusCommand(args: Arguments, context: CommandContext): Promise<number> {
  const { api, screen, nowMs } = context;
  const [id, ...more] = args.operands;
  if (more.length > 0) {
    throw new BadUsage(`Cannot show purges: need one id: received ${more[0]} too`);
  }
  const json = args.given.has("json");
  if (id !== undefined) {
    const view = await api.show(id);
    const head = `purge ${view.id}, number ${view.seq}: ${orderText(view)}, by ${view.issuer}, ` +
      `${agoText(nowMs() - view.issuedMs)}\n`;
    screen.print(json ? `${JSON.stringify(view)}\n` : head + reportOf(view, nowMs()));
    return 0;
  }
  const [{ firstSeq, lastSeq, purges }, nodes] = await Promise.all([api.list(), api.nodes()]);
  if (json) {
    screen.print(`${JSON.stringify({ firstSeq, lastSeq, purges, nodes })}\n`);
    return 0;
  }
  const late = nodes.filter(({ state }) => state === "late").length;
  const behind = nodes.filter(({ appliedSeq }) => appliedSeq < lastSeq).length;
  screen.print(`purge log: numbers ${firstSeq} to ${lastSeq}\n`);
  screen.print(`nodes: ${nodes.length}, ${late} away, ${behind} behind the log\n`);
  const rows = purges.slice(0, listed).map((purge) => [
    String(purge.seq),
    agoText(nowMs() - purge.issuedMs),
    `${purge.nodes.applied}/${purge.nodes.total}`,
    purge.issuer,
    purge.id,
    orderText(purge),
  ]);
  if (rows.length === 0) return 0;
  screen.print(`\n${columns([["NUMBER", "WHEN", "NODES", "BY", "ID", "WHAT"], ...rows])}`);
  return 0;
}

/** Lists the nodes. Exit codes: 0, 1 refused. */
export async function nodesCommand(args: Arguments, context: CommandContext): Promise<number> {
  const { api, screen, nowMs } = context;
  if (args.operands.length > 0) {
    throw new BadUsage(`Cannot list nodes: need nothing after it: received ${args.operands[0]}`);
  }
  const nodes = await api.nodes();
  if (args.given.has("json")) {
    screen.print(`${JSON.stringify(nodes)}\n`);
    return 0;
  }
  const row = (node: NodeView) => [
    node.id,
    node.role,
    node.state,
    String(node.appliedSeq),
    String(node.snapshot),
    agoText(nowMs() - node.lastSeenMs),
    node.version,
    node.url,
  ];
  const head = ["NODE", "ROLE", "STATE", "PURGE", "SNAPSHOT", "SEEN", "VERSION", "URL"];
  screen.print(columns([head, ...nodes.map(row)]));
  return 0;
}
