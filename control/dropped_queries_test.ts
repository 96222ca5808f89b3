import assert from "node:assert/strict";
import { controlRig } from "./control_rig.ts";

Deno.test("a purge of a URL with a query takes what is cached without it, where a service drops it", async () => {
  const rig = controlRig();
  try {
    const deliveryServices = [
      { id: "vod", prefixes: ["/vod/"], queryString: "drop" },
      { id: "live", prefixes: ["/live/"] },
    ];
    const declared = await rig.ask("PUT", "/topology/declared", { deliveryServices });
    assert.equal(declared.status, 200);
    const purge = async (kind: string, values: string[]) => {
      const answer = await rig.ask("POST", "/purges", { kind, values });
      const { id } = await answer.json();
      return rig.log.order(id).map(({ value }) => value);
    };
    assert.deepEqual(
      await purge("url", [
        "/vod/1.mp4?token=1&x=2",
        "/vod/2.mp4",
        "/vod/a.m3u8?token=1&_HLS_part=2&_HLS_msn=1",
        "/live/a.m3u8?token=1",
      ]),
      [
        "/vod/1.mp4?token=1&x=2",
        "/vod/1.mp4",
        "/vod/2.mp4",
        "/vod/a.m3u8?token=1&_HLS_part=2&_HLS_msn=1",
        "/vod/a.m3u8?_HLS_msn=1&_HLS_part=2",
        "/live/a.m3u8?token=1",
      ],
    );
    assert.deepEqual(await purge("prefix", ["/vod/"]), ["/vod/"]);
  } finally {
    await rig.close();
  }
});
