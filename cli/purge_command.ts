/**
 * `downlink purge`: orders purges, counts what they would hit, waits until all nodes have them.
 *
 * @module
 */

import { type Arguments, BadUsage, type Flags, readTime } from "./arguments.ts";
import { type ControlApi, ControlRefused, type DryRun, type PurgeView } from "./control_api.ts";
import type { Screen } from "./screen.ts";
import { columns, endText, orderText, progressLine, sizeText, waitingText } from "./words.ts";

/** The flags of `downlink purge`. */
export const purgeFlags: Flags = {
  url: { value: "URL", repeats: true, help: "Purge a URL or a path with its query." },
  prefix: { value: "PATH", repeats: true, help: "Purge all below a path: /a holds /a/b, not /ab." },
  tag: { value: "TAG", repeats: true, help: "Purge what carries a Surrogate-Key or Cache-Tag." },
  all: { help: "Purge everything." },
  soft: { help: "Mark stale instead of gone: usable while it is fetched anew." },
  "dry-run": { help: "Purge nothing; count what each cache would lose." },
  wait: { help: "Wait until every node has applied it." },
  timeout: { value: "TIME", help: "How long to wait. Default: 60s." },
  key: { value: "KEY", help: "Idempotency-Key: the same key and order is the same purge." },
  json: { help: "Print control's answers as JSON, one a line." },
};

interface Order {
  readonly kind: "url" | "prefix" | "tag" | "all";
  readonly values: readonly string[];
  readonly soft: boolean;
}

/** What a command works with. */
export interface CommandContext {
  readonly api: ControlApi;
  readonly screen: Screen;
  readonly nowMs: () => number;
}

/** Runs it. Exit codes: 0 done, 1 refused, 3 not all nodes have it in time. */
export async function purgeCommand(args: Arguments, context: CommandContext): Promise<number> {
  const orders = ordersOf(args);
  const { given } = args;
  const timeoutMs = readTime("timeout", given.get("timeout")?.[0] ?? "60s");
  if (given.has("dry-run")) return await countAll(orders, given.has("json"), context);
  const key = given.get("key")?.[0] ?? crypto.randomUUID();
  const issued: { order: Order; id: string; seq: number }[] = [];
  for (const [i, order] of orders.entries()) {
    const own = orders.length === 1 ? key : `${key}-${i + 1}`;
    const { id, seq } = await context.api.purge(order, own);
    issued.push({ order, id, seq });
    const text = `purge ${id}, number ${seq}: ${orderText(order)}\n`;
    context.screen.print(given.has("json") ? `${JSON.stringify({ id, seq })}\n` : text);
  }
  if (!given.has("wait")) return 0;
  const dueMs = context.nowMs() + timeoutMs;
  let code = 0;
  for (const { id } of issued) {
    const leftMs = Math.max(0, dueMs - context.nowMs());
    const view = await waitFor(id, leftMs, context);
    if (given.has("json")) context.screen.print(`${JSON.stringify(view)}\n`);
    else context.screen.print(reportOf(view, context.nowMs()));
    if (view.state !== "completed") code = 3;
  }
  return code;
}

/** One order for each kind that was named. @throws {BadUsage} */
function ordersOf({ given, operands }: Arguments): Order[] {
  if (operands.length > 0) {
    throw new BadUsage(
      `Cannot purge: need --url, --prefix or --tag before it: received ${operands[0]}`,
    );
  }
  const soft = given.has("soft");
  const orders: Order[] = [];
  for (const kind of ["url", "prefix", "tag"] as const) {
    const values = given.get(kind);
    if (values !== undefined) orders.push({ kind, values, soft });
  }
  if (given.has("all")) {
    if (orders.length > 0) {
      throw new BadUsage("Cannot use --all: need it alone: received more to purge");
    }
    orders.push({ kind: "all", values: [], soft });
  }
  if (orders.length > 0) return orders;
  throw new BadUsage("Cannot purge: need --url, --prefix, --tag or --all: received none of them");
}

/**
 * Shows a purge as it goes through the nodes, until all have it or time is up. A control that goes
 * away meanwhile is asked again.
 */
export async function waitFor(
  id: string,
  timeoutMs: number,
  context: CommandContext,
): Promise<PurgeView> {
  const { api, screen, nowMs } = context;
  const late = AbortSignal.timeout(timeoutMs);
  let view = await api.show(id);
  let said = -1;
  while (view.state !== "completed" && !late.aborted) {
    try {
      for await (view of api.watch(id, late)) {
        screen.show(progressLine(view, { width: screen.width - 1, nowMs: nowMs() }));
        const { applied, total } = view.nodes;
        if (!screen.isTerminal && applied !== said) screen.print(`${applied} of ${total} nodes\n`);
        said = applied;
      }
    } catch (error) {
      if (!(error instanceof ControlRefused) || late.aborted) break;
      if (error.status !== 0 && error.status !== 503) throw error;
    }
    if (view.state !== "completed" && !late.aborted) {
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
  return view;
}

/** How it ended, and whom it waits for still. */
export function reportOf(view: PurgeView, nowMs: number): string {
  const waiting = view.nodes.waiting.slice(0, 20).map((node) =>
    `  waiting for ${waitingText(node, nowMs)}\n`
  );
  return `${endText(view)}\n${waiting.join("")}`;
}

async function countAll(
  orders: readonly Order[],
  json: boolean,
  { api, screen }: CommandContext,
): Promise<number> {
  for (const order of orders) {
    const count = await api.dryRun(order);
    screen.print(json ? `${JSON.stringify(count)}\n` : countText(order, count));
  }
  return 0;
}

function countText(order: Order, { objects, bytes, nodes }: DryRun): string {
  const head = `${orderText(order)} would hit ${objects} objects, ${sizeText(bytes)}, ` +
    `on ${nodes.answered} of ${nodes.total} caches; nothing was purged\n`;
  const rows = nodes.counts.map(({ id, objects, bytes, examples, complete }) => [
    `  ${id}`,
    `${complete ? "" : "more than "}${objects}`,
    sizeText(bytes),
    examples[0] ?? "",
  ]);
  const silent = nodes.unanswered.map(({ id, reason }) => [`  ${id}`, "?", "", reason]);
  return head + columns([...rows, ...silent]);
}
