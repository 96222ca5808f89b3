import assert from "node:assert/strict";
import { serviceManager } from "./service_manager.ts";

Deno.test("serviceManager() tells nobody without NOTIFY_SOCKET", () => {
  assert.equal(serviceManager({}), undefined);
  assert.equal(serviceManager({ NOTIFY_SOCKET: "", WATCHDOG_USEC: "1000000" }), undefined);
});

Deno.test("serviceManager() refuses a socket without a path with one sentence", () => {
  assert.throws(() => serviceManager({ NOTIFY_SOCKET: "@abstract" }), {
    message:
      "Cannot notify the service manager: need NOTIFY_SOCKET to be a path: received @abstract",
  });
});

Deno.test("serviceManager() wants a sign of life twice in each WATCHDOG_USEC", () => {
  const rows = [["30000000", 15_000], ["1", 1], ["0", undefined], ["soon", undefined]] as const;
  for (const [microseconds, wantMs] of rows) {
    const manager = serviceManager({ NOTIFY_SOCKET: "/nowhere", WATCHDOG_USEC: microseconds });
    assert.equal(manager?.watchdogMs, wantMs);
    manager?.close();
  }
});

Deno.test("serviceManager() sends what it is given, and rejects when nobody listens", async () => {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/notify`;
  const listener = Deno.listenDatagram({ transport: "unixpacket", path });
  const manager = serviceManager({ NOTIFY_SOCKET: path }) ?? assert.fail();
  try {
    await manager.tell("READY=1");
    assert.equal(new TextDecoder().decode((await listener.receive())[0]), "READY=1");
    listener.close();
    await assert.rejects(manager.tell("STOPPING=1"));
  } finally {
    manager.close();
    await Deno.remove(folder, { recursive: true });
  }
});
