/** Low-latency streaming through edge and shield on real sockets: held playlists, bodies that are being made. */
import assert from "node:assert/strict";
import { startOrigin, startTier, type TierNode, type TierOptions } from "./tiers_rig.ts";

/** An origin that answers when the test says so. */
function heldOrigin() {
  const asked: string[] = [];
  const held: ((response: Response) => void)[] = [];
  const { url, close } = startOrigin((request) => {
    const { pathname, search } = new URL(request.url);
    asked.push(pathname + search);
    const { promise, resolve } = Promise.withResolvers<Response>();
    held.push(resolve);
    return promise;
  });
  return { asked, held, url, close };
}

interface Tiers {
  readonly edge: TierNode;
  readonly asked: readonly string[];
  readonly held: readonly ((response: Response) => void)[];
}

function tiers(
  name: string,
  { flags, times }: Pick<TierOptions, "flags" | "times">,
  run: (tiers: Tiers) => Promise<void>,
) {
  const fn = async () => {
    const origin = heldOrigin();
    const shield = startTier({ name: "shield", upstream: origin.url, flags, times });
    const edge = startTier({ name: "edge", upstream: shield.url, flags });
    try {
      await run({ edge, asked: origin.asked, held: origin.held });
    } finally {
      for (const resolve of origin.held) resolve(new Response(null, { status: 404 }));
      for (const { close } of [edge, shield, origin]) await close();
    }
  };
  // fetch() keeps its connections: the tests end before those do.
  Deno.test({ name, fn, sanitizeOps: false, sanitizeResources: false });
}

/** Waits until `probe` holds. */
async function eventually(what: string, probe: () => boolean): Promise<void> {
  for (let tries = 0; tries < 1200; tries++) {
    if (probe()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert.fail(`never came true: ${what}`);
}

const playlist = (part: number) => {
  const text = `#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-PART-INF:PART-TARGET=0.5\n#part ${part}\n`;
  const headers = {
    "content-type": "application/vnd.apple.mpegurl",
    "cache-control": "max-age=24",
  };
  return new Response(text, { headers });
};

const live = "/live.m3u8";

for (const keepQuery of [undefined, "channel"]) {
  const flags = keepQuery === undefined ? {} : { keepQuery };
  const how = keepQuery === undefined ? "as the query is" : "with a list of query parameters";
  tiers(
    `a playlist that is not there yet is held once for all who wait, ${how}`,
    { flags },
    async ({ edge, asked, held }) => {
      const ask = async (query: string) =>
        await (await fetch(`${edge.url}${live}?${query}`)).text();
      const forPart = (part: number) =>
        Array.from(
          { length: 50 },
          (_, i) =>
            ask(`_HLS_msn=7&_HLS_part=${part}${keepQuery === undefined ? "" : `&session=${i}`}`),
        );
      const [third, fourth] = [forPart(3), forPart(4)];
      const delta = ask("_HLS_msn=7&_HLS_part=3&_HLS_skip=YES");
      await eventually("the origin is asked", () => held.length === 3);
      assert.deepEqual(asked.toSorted(), [
        `${live}?_HLS_msn=7&_HLS_part=3`,
        `${live}?_HLS_msn=7&_HLS_part=3&_HLS_skip=YES`,
        `${live}?_HLS_msn=7&_HLS_part=4`,
      ]);
      for (const [i, target] of asked.entries()) held[i](playlist(target.endsWith("4") ? 4 : 3));
      for (const text of await Promise.all(third)) assert.match(text, /#part 3/);
      for (const text of await Promise.all(fourth)) assert.match(text, /#part 4/);
      assert.match(await delta, /#part 3/);
      await Promise.all(forPart(3));
      assert.equal(asked.length, 3, "what came is kept: nobody else waits for it");
    },
  );
}

tiers("a held playlist outlives the client that asked first", {}, async ({ edge, asked, held }) => {
  const first = new AbortController();
  const url = `${edge.url}${live}?_HLS_msn=8`;
  const leaving = fetch(url, { signal: first.signal }).catch((error) => error);
  await eventually("the origin is asked", () => held.length === 1);
  const staying = Array.from({ length: 20 }, async () => await (await fetch(url)).text());
  await new Promise((resolve) => setTimeout(resolve, 50));
  first.abort();
  assert.ok(await leaving instanceof DOMException);
  await new Promise((resolve) => setTimeout(resolve, 50));
  held[0](playlist(1));
  for (const text of await Promise.all(staying)) assert.match(text, /#part 1/);
  assert.equal(asked.length, 1);
});

tiers("a playlist that never comes ends for all who wait, and is asked for anew", {
  times: { headTimeoutMs: 300 },
}, async ({ edge, asked, held }) => {
  const url = `${edge.url}${live}?_HLS_msn=9`;
  const waiting = await Promise.all(Array.from({ length: 20 }, () => fetch(url)));
  for (const response of waiting) {
    assert.equal(response.status, 504);
    assert.match(response.headers.get("cache-status")!, /fwd=uri-miss/);
    await response.body?.cancel();
  }
  assert.equal(asked.length, 1);
  const again = fetch(url);
  await eventually("the origin is asked again", () => held.length === 2);
  held[1](playlist(2));
  assert.match(await (await again).text(), /#part 2/);
});

tiers(
  "a chunked segment flows through both tiers while it is made",
  {},
  async ({ edge, asked, held }) => {
    const url = `${edge.url}/seg-1.m4s`;
    let make: ReadableStreamDefaultController<Uint8Array>;
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => void (make = controller),
    });
    const chunk = (i: number) => new TextEncoder().encode(`moof ${i};`);
    const open = async () =>
      (await fetch(url)).body!.pipeThrough(new TextDecoderStream()).getReader();
    /** Reads on until the text of the first `chunks` is there. */
    const readUpTo = async (
      reader: ReadableStreamDefaultReader<string>,
      chunks: number,
      had = "",
    ) => {
      const want = Array.from({ length: chunks }, (_, i) => `moof ${i};`).join("");
      let text = had;
      while (text.length < want.length) text += (await reader.read()).value;
      assert.equal(text, want);
      return text;
    };
    const opening = [open(), open(), open()];
    await eventually("the origin is asked", () => held.length === 1);
    held[0](new Response(body, { headers: { "cache-control": "max-age=60" } }));
    // Each chunk is read before the next is made: nothing on the way waits for more.
    make!.enqueue(chunk(0));
    const readers = await Promise.all(opening);
    let texts = await Promise.all(readers.map((reader) => readUpTo(reader, 1)));
    for (let chunks = 2; chunks <= 4; chunks++) {
      make!.enqueue(chunk(chunks - 1));
      texts = await Promise.all(readers.map((reader, i) => readUpTo(reader, chunks, texts[i])));
    }
    const late = await open();
    const before = await readUpTo(late, 4);
    make!.enqueue(chunk(4));
    await readUpTo(late, 5, before);
    make!.close();
    for (const reader of [...readers, late]) while (!(await reader.read()).done);
    assert.deepEqual(asked, ["/seg-1.m4s"]);
    const whole = await fetch(url);
    assert.equal((await whole.text()).length, 5 * "moof 0;".length);
    assert.match(whole.headers.get("cache-status")!, /edge;hit/);
  },
);

tiers(
  "a range of a chunked segment that is being made waits for its bytes only",
  {},
  async ({ edge, asked, held }) => {
    const url = `${edge.url}/seg-2.m4s`;
    let make: ReadableStreamDefaultController<Uint8Array>;
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => void (make = controller),
    });
    const whole = fetch(url);
    await eventually("the origin is asked", () => held.length === 1);
    held[0](
      new Response(body, { headers: { "cache-control": "max-age=60", "content-length": "10" } }),
    );
    make!.enqueue(new TextEncoder().encode("01234"));
    const response = await fetch(url, { headers: { range: "bytes=1-3" } });
    assert.deepEqual([response.status, await response.text()], [206, "123"]);
    make!.enqueue(new TextEncoder().encode("56789"));
    make!.close();
    assert.equal(await (await whole).text(), "0123456789");
    assert.equal(asked.length, 1);
  },
);
