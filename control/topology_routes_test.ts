import assert from "node:assert/strict";
import { controlRig } from "./control_rig.ts";

const node = (id: string, role = "edge") => {
  const url = `http://127.0.0.1/${id}`;
  return { id, role, url, adminUrl: url, version: "0.1.0" };
};

/** Runs a test on a control of its own. */
function test(name: string, work: (rig: ReturnType<typeof controlRig>) => Promise<void>): void {
  Deno.test(name, async () => {
    const rig = controlRig();
    try {
      await work(rig);
    } finally {
      await rig.close();
    }
  });
}

const site = (id: string, city: string) => ({ sites: [{ id, city }] });

test("a YAML document declares what the same JSON does, and aliases cannot blow it up", async (rig) => {
  const put = (body: string, type = "application/yaml; charset=utf-8") =>
    rig.app.request("http://127.0.0.1:9000/topology/declared", {
      method: "PUT",
      body,
      headers: { "content-type": type },
    });
  assert.equal((await put("sites:\n  - id: lon\n    city: London # the first\n")).status, 200);
  assert.deepEqual(rig.parts.snapshots.declared.sites, [{ id: "lon", city: "London" }]);
  const bad = await put("sites: [");
  assert.equal(bad.status, 400);
  assert.match((await bad.json()).error, /^Cannot read the body: need YAML: received 8 bytes/);
  let bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (let i = 1; i < 12; i++) {
    bomb += `a${i}: &a${i} [${Array(10).fill(`*a${i - 1}`).join(", ")}]\n`;
  }
  assert.equal((await put(bomb)).status, 400);
  assert.equal((await put("sites: []", "text/plain")).status, 400, "that is no JSON");
});

test("an edit holds only on top of the number that it was made on", async (rig) => {
  const edit = (body: object, match?: string) =>
    rig.app.request("http://127.0.0.1:9000/topology/declared", {
      method: "PUT",
      body: JSON.stringify(body),
      headers: match === undefined ? {} : { "if-match": match },
    });
  const first = await rig.ask("GET", "/topology/declared");
  assert.equal(first.headers.get("etag"), '"1"');
  assert.equal((await edit(site("lon", "London"), '"1"')).headers.get("etag"), '"2"');
  const late = await edit(site("lon", "Paris"), '"1"');
  assert.equal(late.status, 412);
  assert.equal(late.headers.get("etag"), '"2"');
  assert.match((await late.json()).error, /need If-Match of 2 or later: received "1"$/);
  await rig.ask("POST", "/nodes", node("edge-1"));
  assert.equal(rig.parts.snapshots.current.number, 3, "a node came");
  assert.equal((await rig.ask("GET", "/topology/declared")).headers.get("etag"), '"2"');
  assert.equal((await edit(site("lon", "Leeds"), '"2"')).status, 200, "it is in nobody's way");
  assert.equal((await edit(site("lon", "York"), '"9"')).status, 412, "no number yet");
  assert.equal((await edit(site("lon", "York"), 'W/"4"')).status, 400);
  assert.equal((await edit(site("lon", "York"), "*")).status, 200);
  assert.equal((await edit(site("lon", "Bath"))).status, 200);
});

test("what changed is listed by field, and one call brings back what was", async (rig) => {
  const ask = async (method: string, path: string, body?: unknown) =>
    await (await rig.ask(method, path, body)).json();
  await rig.ask("PUT", "/topology/declared", site("lon", "London"));
  await rig.ask("POST", "/nodes", node("edge-1"));
  await rig.ask("PUT", "/topology/declared", { ...site("lon", "Leeds"), regions: [{ id: "eu" }] });
  assert.deepEqual(await ask("GET", "/topology/snapshots/2/diff?to=4"), {
    from: 2,
    to: 4,
    changes: [
      { change: "added", path: "regions[eu]", after: { id: "eu", networks: [], fallbacks: [] } },
      { change: "changed", path: "sites[lon].city", before: "London", after: "Leeds" },
      {
        change: "added",
        path: "edges[edge-1]",
        after: { id: "edge-1", url: "http://127.0.0.1/edge-1", weight: 1 },
      },
    ],
  });
  assert.deepEqual(await ask("POST", "/topology/rollback", { to: 2 }), { snapshot: 5 });
  const now = await ask("GET", "/topology");
  assert.deepEqual([now.number, now.sites, now.regions], [5, site("lon", "London").sites, []]);
  assert.equal(now.edges.length, 1, "the nodes stay those of today");
  assert.deepEqual(await ask("GET", "/topology/snapshots/2/diff?to=5"), {
    from: 2,
    to: 5,
    changes: [{
      change: "added",
      path: "edges[edge-1]",
      after: { id: "edge-1", url: "http://127.0.0.1/edge-1", weight: 1 },
    }],
  });
  assert.deepEqual((await ask("GET", "/topology/snapshots/4")).sites, site("lon", "Leeds").sites);
  const { snapshots } = await ask("GET", "/topology/snapshots");
  assert.deepEqual(
    snapshots.map(({ number, declared }: { number: number; declared: boolean }) => [
      number,
      declared,
    ]),
    [[5, true], [4, true], [3, false], [2, true], [1, true]],
  );
});

test("a check says what an edit would change, and changes nothing", async (rig) => {
  const checked = await rig.ask("POST", "/topology/check", site("lon", "London"));
  assert.deepEqual(await checked.json(), {
    changes: [{ change: "added", path: "sites[lon]", after: { id: "lon", city: "London" } }],
  });
  assert.equal(rig.parts.snapshots.current.number, 1);
});

test("the carousel plan is a part of the snapshot that can be edited alone", async (rig) => {
  await rig.ask("PUT", "/topology/declared", site("lon", "London"));
  const files = [{ path: "/files/epg.xml", priority: 0, acquisitionSeconds: 30 }];
  assert.deepEqual(await (await rig.ask("PUT", "/carousel", { files })).json(), { snapshot: 3 });
  const { carousel, sites } = await (await rig.ask("GET", "/topology")).json();
  assert.deepEqual(carousel, [{ ...files[0], popularity: 1 }]);
  assert.equal(sites.length, 1);
  const seen = await rig.ask("GET", "/carousel");
  assert.equal(seen.headers.get("etag"), '"3"');
  assert.deepEqual(await seen.json(), { files: carousel });
  const bad = await rig.ask("PUT", "/carousel", { files: [{ path: "epg.xml" }] });
  assert.equal(
    (await bad.json()).error,
    'Cannot accept the topology: need carousel[0].path to be a canonical path: received "epg.xml"',
  );
});

const refused: { line: string; body?: unknown; status: number; says: string }[] = [
  {
    line: "POST /topology/rollback",
    body: { to: 9 },
    status: 404,
    says: "Cannot find the snapshot: need the number of one that is kept: received 9",
  },
  {
    line: "POST /topology/rollback",
    body: { to: "1" },
    status: 400,
    says: 'Cannot roll back: need number as to: received "1"',
  },
  {
    line: "GET /topology/snapshots/9",
    status: 404,
    says: "Cannot find the snapshot: need the number of one that is kept: received 9",
  },
  {
    line: "GET /topology/snapshots/1/diff",
    status: 400,
    says: "Cannot compare: need to=NUMBER: received nothing",
  },
  {
    line: "GET /topology/snapshots/1/diff?to=7",
    status: 404,
    says: "Cannot find the snapshot: need the number of one that is kept: received 7",
  },
  {
    line: "PUT /carousel",
    body: {},
    status: 400,
    says: "Cannot accept the topology: need carousel to be Array: received null",
  },
];
for (const { line, body, status, says } of refused) {
  test(`${line} with ${JSON.stringify(body) ?? "nothing"} is a ${status}`, async (rig) => {
    const [method, path] = line.split(" ");
    const response = await rig.ask(method, path, body);
    assert.deepEqual([response.status, (await response.json()).error], [status, says]);
  });
}
