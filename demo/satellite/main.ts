/**
 * `deno run demo/satellite/main.ts`: the demo's satellite, which loses as many packets as it is told.
 *
 * @module
 */

import type { Hono } from "hono";
import * as v from "valibot";
import { hostPort, integer, text } from "#config";
import { openReceiver, openSender } from "#multicast";
import { commonParameters, runProgram } from "#program";
import { maxLossShare, PacketLoss } from "./loss.ts";
import { relay, type RelayCounters } from "./relay.ts";

const lossRequest = v.object({
  share: v.pipe(v.number(), v.minValue(0), v.maxValue(maxLossShare)),
});

/** Adds `GET /satellite` and `PUT /satellite/loss` to the admin app. */
function addRoutes(admin: Hono, loss: PacketLoss, counters: RelayCounters): void {
  const state = () => ({ lossShare: loss.share, ...counters });
  admin.get("/satellite", (c) => c.json(state()));
  admin.put("/satellite/loss", async (c) => {
    const request = v.safeParse(lossRequest, await c.req.json().catch(() => undefined));
    if (!request.success) {
      const need = `{"share": 0 to ${maxLossShare}}`;
      return c.json({ error: `Cannot set the loss: need ${need}: received something else` }, 400);
    }
    loss.share = request.output.share;
    return c.json(state());
  });
}

await runProgram({
  introduction: {
    program: "satellite",
    summary: "Relays UDP from the headend to the multicast group and loses packets as it is told.",
    examples: [{
      command: "deno run -A demo/satellite/main.ts --to 239.255.70.1:5001",
      does: "Relays what arrives on 127.0.0.1:5000",
    }],
  },
  parameters: {
    listen: hostPort("127.0.0.1:5000", "Where the headend sends its packets (UDP)."),
    to: hostPort("239.255.70.1:5001", "The group, or one receiver where there is no multicast."),
    interface: text("127.0.0.1", "Address of the interface to send by.", "IP"),
    seed: integer("1", "Which packets are lost.", { min: 0, max: 2 ** 32 - 1 }),
    ...commonParameters("127.0.0.1:9071"),
  },
  async start({ settings, log, admin, setReady, onDrain }) {
    const up = await openReceiver({
      group: settings.listen.hostname,
      port: settings.listen.port,
      interface: settings.interface,
    });
    if (up.receiveBufferNote) log.warn(up.receiveBufferNote);
    const to = { host: settings.to.hostname, port: settings.to.port };
    const down = await openSender({ to, interface: settings.interface });
    const loss = new PacketLoss(settings.seed);
    const counters: RelayCounters = { relayed: 0, relayedBytes: 0, dropped: 0, failed: 0 };
    const relaying = relay(up, down, loss, counters);
    onDrain(async () => {
      up.close();
      await relaying;
      down.close();
    });
    addRoutes(admin, loss, counters);
    setReady(true);
  },
});
