import assert from "node:assert/strict";
import { encodeNetworkInformationFile, nipUris } from "#nip";
import { readSession } from "./session_keeper.ts";
import { Announcement, type AnnouncementOutcome } from "./nip_announcement.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const naci = {
  nipNetworkId: 1001,
  nipCarrierId: 2,
  nipLinkId: 1,
  nipServiceId: 5001,
  nipStreamProviderName: "Two",
};

/** A network with two carriers; the first has a bootstrap. */
const network = bytes(encodeNetworkInformationFile({
  nifType: "Physical Network",
  actualBroadcastNetwork: {
    networkType: "Satellite",
    networkName: "Sky",
    nipNetworkProviderName: "Provider",
    orbitalPositionDegrees: -5,
    nipNetworkId: 1001,
    nipStreams: [1, 2].map((nipCarrierId) => ({
      linkLayerFormat: "TS",
      nipStreamProviderName: `stream ${nipCarrierId}`,
      nipCarrierId,
      nipLinkId: 1,
      nipServiceId: 5001,
      bootstrapStream: nipCarrierId === 1
        ? { bootstrapType: "Physical Network", status: "Active" }
        : undefined,
      delivery: {
        kind: "dvbs2" as const,
        frequencyKhz: nipCarrierId * 10_000_000,
        polarization: "vertical",
        symbolRateKs: 27_500,
      },
    })),
  },
  otherBroadcastNetworks: [],
}));

function setUp() {
  const outcomes: AnnouncementOutcome[] = [];
  const clock = { nowMs: 0 };
  const told = { bootstraps: 0 };
  const announcement = new Announcement({
    group: "224.0.23.14",
    port: 3937,
    onBootstrap: () => told.bootstraps++,
    onOutcome: (outcome) => outcomes.push(outcome),
    nowMs: () => clock.nowMs,
  });
  const bootstrap = async () => new TextDecoder().decode(await announcement.bootstrap());
  return { announcement, outcomes, clock, told, bootstrap };
}

Deno.test("Announcement has no bootstrap and says so, until one comes", async () => {
  const { announcement, told, bootstrap } = setUp();
  await assert.rejects(bootstrap(), {
    message: "need a bootstrap on 224.0.23.14:3937: received none so far",
  });
  assert.equal(announcement.view, undefined);
  announcement.heard("192.0.2.1", undefined);
  announcement.take(nipUris.bootstrap, bytes("one"), "192.0.2.1");
  assert.equal(await bootstrap(), "one");
  announcement.take(nipUris.bootstrap, bytes("two"), "192.0.2.1");
  assert.equal(await bootstrap(), "two");
  assert.equal(told.bootstraps, 2);
});

Deno.test("Announcement names the carrier that the packets name, else the one with the bootstrap", () => {
  const { announcement, outcomes } = setUp();
  announcement.heard("192.0.2.1", undefined);
  announcement.take(nipUris.networkInformationFile, network, "192.0.2.1");
  assert.deepEqual(announcement.view?.network, {
    id: 1001,
    name: "Sky",
    provider: "Provider",
    orbitalPositionDegrees: -5,
  });
  assert.equal(announcement.view?.carrier.frequencyKhz, 10_000_000);
  announcement.heard("192.0.2.1", naci);
  announcement.heard("192.0.2.1", undefined);
  assert.deepEqual(announcement.view?.carrier, {
    id: 2,
    linkId: 1,
    serviceId: 5001,
    provider: "Two",
    frequencyKhz: 20_000_000,
    symbolRateKs: 27_500,
  });
  announcement.heard("192.0.2.1", { ...naci, nipNetworkId: 7 });
  assert.equal(announcement.view?.carrier.frequencyKhz, undefined);
  assert.deepEqual(outcomes, ["taken"]);
});

Deno.test("of several senders on the group the first counts until it falls silent", async () => {
  const { announcement, clock, told, bootstrap } = setUp();
  for (const source of ["192.0.2.1", "192.0.2.2"]) {
    announcement.heard(source, undefined);
    announcement.take(nipUris.bootstrap, bytes(source), source);
  }
  assert.equal(await bootstrap(), "192.0.2.1");
  assert.equal(told.bootstraps, 1);
  clock.nowMs = 9_999;
  announcement.heard("192.0.2.2", undefined);
  assert.equal(await bootstrap(), "192.0.2.1");
  clock.nowMs = 10_000;
  announcement.heard("192.0.2.2", undefined);
  assert.equal(await bootstrap(), "192.0.2.2");
  assert.equal(told.bootstraps, 2);
  announcement.heard("192.0.2.1", undefined);
  assert.equal(await bootstrap(), "192.0.2.2");
});

Deno.test("a sender without a bootstrap does not stand in the way of one that has it", async () => {
  const { announcement, told, bootstrap } = setUp();
  announcement.heard("192.0.2.1", undefined);
  announcement.heard("192.0.2.2", undefined);
  announcement.take(nipUris.bootstrap, bytes("two"), "192.0.2.2");
  assert.equal(await bootstrap(), "two");
  assert.equal(announcement.view?.source, "192.0.2.2");
  assert.equal(told.bootstraps, 1);
});

Deno.test("what strangers send is bounded, and named where it is not taken", async () => {
  const { announcement, outcomes, clock, bootstrap } = setUp();
  for (let n = 1; n <= 5; n++) announcement.take(nipUris.bootstrap, bytes(`${n}`), `192.0.2.${n}`);
  announcement.take(nipUris.bootstrap, new Uint8Array(2 ** 20 + 1), "192.0.2.1");
  announcement.take(nipUris.networkInformationFile, bytes("<html/>"), "192.0.2.1");
  assert.deepEqual(outcomes.slice(4), ["too_many_sources", "too_large", "wrong_root"]);
  assert.equal(await bootstrap(), "1");
  clock.nowMs = 60_000;
  announcement.take(nipUris.bootstrap, bytes("6"), "192.0.2.6");
  assert.equal(outcomes.at(-1), "taken");
  assert.equal(await bootstrap(), "6");
});

const vectors = new URL("../../shared/vectors/nip/", import.meta.url);
const [sesBootstrap, sesNetwork] = await Promise.all(
  ["ses-bootstrap.xml", "ses-nif.xml"].map((name) =>
    Deno.readFile(new URL(name, vectors)).catch(() => undefined)
  ),
);

Deno.test({
  name: "what a real satellite announces says where to listen, and which carrier it is" +
    (sesBootstrap ? "" : " (skipped: ../shared/vectors is absent)"),
  ignore: !sesBootstrap,
  fn: async () => {
    const { announcement, outcomes } = setUp();
    const source = "192.168.200.180";
    const carrier = { nipNetworkId: 1, nipCarrierId: 1102, nipLinkId: 1, nipServiceId: 0 };
    announcement.heard(source, { ...carrier, nipStreamProviderName: "SES" });
    announcement.take(nipUris.bootstrap, sesBootstrap!, source);
    announcement.take(nipUris.networkInformationFile, sesNetwork!, source);
    assert.deepEqual(outcomes, ["taken", "taken"]);
    assert.deepEqual(announcement.view?.carrier.frequencyKhz, 12_441_000);
    const session = readSession(await announcement.bootstrap());
    assert.ok(session.kind === "session");
    const { channels } = session.lineup;
    assert.deepEqual(
      channels.map(({ group, tsi, sourceAddress }) => [group, tsi, sourceAddress]).slice(0, 2),
      [["224.0.23.14", 0, source], ["224.0.49.1", 49001, source]],
    );
  },
});
