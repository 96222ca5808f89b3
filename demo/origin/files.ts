/**
 * The files of the demo's origin: a notice and a poster whose bytes change with each edition (so that
 * a purge can be seen), a programme guide for the day, and a short film. Pure.
 *
 * @module
 */

const dayMs = 86_400_000;

/** A notice in plain text. */
export function notice(edition: number): string {
  return `Downlink One, edition ${edition}\n` +
    "This text changes when the origin's version is raised; a purge brings it to every node.\n";
}

/** A poster as SVG: its hue and its number tell the edition from afar. */
export function poster(edition: number): string {
  const hue = (205 + edition * 67) % 360;
  const rays = Array.from({ length: 7 }, (_, index) => {
    const width = 1.5 + index * 0.35;
    return `<circle cx="96" cy="236" r="${30 + index * 26}" fill="none" stroke-width="${width}" ` +
      `stroke="hsl(${hue} 90% 72%)" opacity="${(0.62 - index * 0.08).toFixed(2)}"/>`;
  }).join("\n  ");
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 480 270" role="img">
  <title>Downlink One, edition ${edition}</title>
  <defs><linearGradient id="sky" x2="0" y2="1">
    <stop stop-color="hsl(${hue} 62% 9%)"/><stop offset="1" stop-color="hsl(${hue} 58% 25%)"/>
  </linearGradient></defs>
  <rect width="480" height="270" fill="url(#sky)"/>
  ${rays}
  <ellipse cx="240" cy="452" rx="460" ry="212" fill="hsl(${hue} 60% 5%)"/>
  <circle cx="96" cy="236" r="7" fill="hsl(${hue} 95% 82%)"/>
  <g font-family="system-ui, sans-serif" fill="#fff" text-anchor="end">
    <text x="452" y="60" font-size="26" font-weight="600">Downlink One</text>
    <text x="452" y="84" font-size="13" opacity=".72">tonight, over the horizon</text>
    <text x="452" y="206" font-size="104" font-weight="700">${edition}</text>
    <text x="452" y="240" font-size="15" opacity=".72">edition</text>
  </g>
</svg>
`;
}

const programmes = [
  "Orbit by Night",
  "Letters from the Ground Station",
  "The Long Carousel",
  "Weather over the Footprint",
] as const;

/** The programme guide of the UTC day in which `nowMs` lies: an hour each, as TV-Anytime. */
export function programmeGuide(nowMs: number, serviceIdentifier: string): string {
  const startMs = Math.floor(nowMs / dayMs) * dayMs;
  const date = new Date(startMs).toISOString().slice(0, 10);
  const hours = Array.from({ length: 24 }, (_, hour) => ({
    crid: `crid://downlink.example/${date}/${hour}`,
    title: programmes[hour % programmes.length],
    start: new Date(startMs + hour * 3_600_000).toISOString(),
  }));
  const information = hours.map(({ crid, title }) =>
    `<ProgramInformation programId="${crid}"><BasicDescription>` +
    `<Title type="main">${title}</Title></BasicDescription></ProgramInformation>`
  );
  const schedule = hours.map(({ crid, start }) =>
    `<ScheduleEvent><Program crid="${crid}"/><PublishedStartTime>${start}</PublishedStartTime>` +
    "<PublishedDuration>PT1H</PublishedDuration></ScheduleEvent>"
  );
  return `<?xml version="1.0" encoding="UTF-8"?>
<TVAMain xmlns="urn:tva:metadata:2024" xml:lang="en">
 <ProgramDescription>
  <ProgramInformationTable>
   ${information.join("\n   ")}
  </ProgramInformationTable>
  <ProgramLocationTable>
   <Schedule serviceIDRef="${serviceIdentifier}" start="${new Date(startMs).toISOString()}" ` +
    `end="${new Date(startMs + dayMs).toISOString()}">
    ${schedule.join("\n    ")}
   </Schedule>
  </ProgramLocationTable>
 </ProgramDescription>
</TVAMain>
`;
}
