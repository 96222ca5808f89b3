/**
 * `deno run bench/loss/table.ts [segments]`: object loss and seconds without a picture, by loss of
 * packets and overhead of repair symbols, with and without a way back; passes of a carousel; a rain fade
 * of two minutes. In virtual time, the same at each run.
 *
 * @module
 */

import { liveProgramme, type Protection, runCarousel, runLive } from "./drill.ts";
import type { Weather } from "./channel.ts";

const segments = Number(Deno.args[0] ?? 60);
const shape = { segments, segmentBytes: 1_000_000, segmentSeconds: 2 };
const repairRate = 8_000_000;
const losses = [0.01, 0.03, 0.05, 0.1, 0.2, 0.3];
const protections: readonly (Protection & { readonly name: string })[] = [
  { name: "none", encodingId: 0, overhead: 0 },
  { name: "RaptorQ 5 %", encodingId: 6, overhead: 0.05 },
  { name: "RaptorQ 10 %", encodingId: 6, overhead: 0.1 },
  { name: "RaptorQ 20 %", encodingId: 6, overhead: 0.2 },
  { name: "RaptorQ 40 %", encodingId: 6, overhead: 0.4 },
  { name: "Reed-Solomon 20 %", encodingId: 5, overhead: 0.2 },
  { name: "Reed-Solomon 40 %", encodingId: 5, overhead: 0.4 },
];

function say(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(line + "\n"));
}

const columns = losses.map((loss) => ` ${Math.round(loss * 100)} % |`).join("");
const rule = losses.map(() => " ---: |").join("");
const bad = (loss: number): Weather => ({ loss, repeated: 0.01, late: 0.02 });

const lost: string[] = [];
const stalls: string[] = [];
const fades: string[] = [];
for (const { name, ...protection } of protections) {
  const live = { ...shape, ...protection, seed: 1 };
  const programme = liveProgramme(live);
  let lostRow = `| ${name} |`;
  let stallRow = `| ${name} |`;
  for (const loss of losses) {
    const weather = () => bad(loss);
    const alone = await runLive({ ...live, weather }, programme);
    const mended = await runLive({ ...live, weather, repairRate }, programme);
    lostRow += ` ${(100 * alone.lost / segments).toFixed(0)} % / ${
      alone.stallSeconds.toFixed(0)
    } |`;
    const share = 100 * mended.repairedBytes / segments / shape.segmentBytes;
    stallRow += ` ${mended.stallSeconds.toFixed(1)} / ${share.toFixed(1)} % |`;
  }
  lost.push(lostRow);
  stalls.push(stallRow);
  // 10 s of 20 % on either side of 120 s of nothing, 1 % else.
  const fade = (segment: number): Weather =>
    bad(segment < 10 || segment >= 80 ? 0.01 : segment < 15 || segment >= 75 ? 0.2 : 1);
  const long = { ...live, segments: 90, weather: fade };
  const longer = liveProgramme(long);
  const alone = await runLive(long, longer);
  const mended = await runLive({ ...long, repairRate }, longer);
  const back = Math.max(0, (alone.lastLost - 74) * 2);
  fades.push(
    `| ${name} | ${alone.lost} of 90 | ${alone.stallSeconds} | ${
      alone.lastLost < 80 ? `${back} s after` : "never for sure"
    } | ${mended.stallSeconds.toFixed(1)} | ${(mended.repairedBytes / 1e6).toFixed(1)} |`,
  );
}
say(`## No way back: segments lost / seconds without a picture, of ${segments * 2}\n`);
say(`| protection |${columns}\n| --- |${rule}\n${lost.join("\n")}\n`);
say(`## Repair at ${repairRate / 1e6} Mbit/s: seconds of stall / share fetched\n`);
say(`| protection |${columns}\n| --- |${rule}\n${stalls.join("\n")}\n`);
say("## Rain fade of 2 minutes in 3\n");
say(
  "| protection | lost alone | s without picture | whole again | stall with repair | MB fetched |",
);
say("| --- | ---: | ---: | ---: | ---: | ---: |");
say(fades.join("\n") + "\n");
say("## Carousel: passes until a file of 5 MB is whole / packets heard for each of its symbols\n");
say(`| code |${columns}\n| --- |${rule}`);
for (const [name, encodingId] of [["none", 0], ["RaptorQ", 6], ["Reed-Solomon", 5]] as const) {
  let row = `| ${name} |`;
  for (const loss of losses) {
    const options = { encodingId, fileBytes: 5_000_000, mostPasses: 40, seed: 3 };
    const done = await runCarousel({ ...options, weather: () => bad(loss) });
    row += done ? ` ${done.passes.toFixed(2)} / ${done.heard.toFixed(2)} |` : " never |";
  }
  say(row);
}
