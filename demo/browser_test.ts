import assert from "node:assert/strict";
import { type BrowserContext, chromium, type Page } from "playwright-core";
import { Child } from "./child.ts";

const chromiumPath = "/usr/bin/chromium";
const installed = await Deno.stat(chromiumPath).then(() => true, () => false);
/** Where it can be installed, the build does so: there it must not be missing. */
const required = Deno.env.get("CI") === "true" && Deno.uid() === 0;
const why = installed || required ? "" : ` (skipped: need ${chromiumPath}, Debian's chromium)`;

const results = new URL(".run/", import.meta.url);
/** Three programs and a browser start meanwhile. */
const firstPictureMs = 30_000;
const watchMs = 10_000;
const longestStallMs = 1_000;
/** A machine that is busy elsewhere takes the picture's time; one watch in so many is without that. */
const watches = 3;

/** How the picture moved while it was watched. */
interface Motion {
  readonly advancedSeconds: number;
  readonly longestStallMs: number;
}

/** Runs the demo and gives its page's address to `body`. */
async function withDemo(body: (page: string, startedMs: number) => Promise<void>): Promise<void> {
  const startedMs = performance.now();
  const demo = new Child({
    name: "demo",
    program: Deno.execPath(),
    args: ["run", "-A", "--quiet", "demo/main.ts"],
    cwd: new URL("..", import.meta.url),
  });
  try {
    for (;;) {
      const url = demo.lastLines.find((line) => line.startsWith("Page "))?.split(/\s+/)[1];
      if (url !== undefined) return await body(url, startedMs);
      assert.ok(demo.running, demo.lastLines.join("\n"));
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  } finally {
    await demo.stop(15_000);
  }
}

/** Opens a browser with a profile of its own that talks to nobody but this machine. */
async function openBrowser(profile: string): Promise<BrowserContext> {
  return await chromium.launchPersistentContext(profile, {
    executablePath: chromiumPath,
    headless: true,
    viewport: { width: 1280, height: 720 },
    args: [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--autoplay-policy=no-user-gesture-required",
    ],
  });
}

/** What is read of the video element; the test's own types know no DOM. */
interface Picture {
  readonly currentTime: number;
}

async function pictureMoves(page: Page): Promise<void> {
  const video = page.locator("video");
  while (await video.evaluate((video) => (video as unknown as Picture).currentTime) < 0.2) {
    await page.waitForTimeout(20);
  }
}

/** Watches `currentTime` for a while, twenty times a second. */
async function watch(page: Page, forMs: number): Promise<Motion> {
  return await page.locator("video").evaluate(async (element, forMs) => {
    const video = element as unknown as Picture;
    const first = video.currentTime;
    const startedMs = performance.now();
    let [lastTime, movedMs, longestStallMs] = [first, startedMs, 0];
    while (performance.now() - startedMs < forMs) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      const nowMs = performance.now();
      if (video.currentTime !== lastTime) movedMs = nowMs;
      longestStallMs = Math.max(longestStallMs, nowMs - movedMs);
      lastTime = video.currentTime;
    }
    return { advancedSeconds: video.currentTime - first, longestStallMs };
  }, forMs);
}

async function assertSmooth(page: Page, when: string): Promise<void> {
  const seen: string[] = [];
  while (seen.length < watches) {
    const { advancedSeconds, longestStallMs: stallMs } = await watch(page, watchMs);
    const leastSeconds = (watchMs - longestStallMs) / 1000;
    if (advancedSeconds >= leastSeconds && stallMs <= longestStallMs) return;
    seen.push(`${advancedSeconds.toFixed(2)} s, longest stall ${Math.round(stallMs)} ms`);
  }
  assert.fail(`${when}: ${seen.join("; ")}`);
}

function say(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}

/** Keeps what the page complains of. */
function listenForErrors(page: Page): string[] {
  const errors: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error") errors.push(message.text());
  });
  page.on("pageerror", (error) => errors.push(error.message));
  return errors;
}

async function playAndDisturb(page: Page, url: string, startedMs: number): Promise<void> {
  await page.goto(url);
  await pictureMoves(page);
  const pictureMs = performance.now() - startedMs;
  say(`first picture ${(pictureMs / 1000).toFixed(1)} s after the demo's start`);
  assert.ok(pictureMs <= firstPictureMs, `first picture after ${Math.round(pictureMs)} ms`);
  await assertSmooth(page, "without loss");

  // By keyboard, as with a remote control.
  await page.focus("#loss");
  for (let step = 0; step < 20; step++) await page.keyboard.press("ArrowRight");
  assert.equal(await page.textContent("#loss-value"), "20 %");
  await assertSmooth(page, "at 20 % loss");
  const repaired = await page.textContent("#repair-total");
  assert.notEqual(repaired, "0 B", "nothing was repaired at 20 % loss");

  await page.keyboard.press("p");
  await page.locator("#purge-state", { hasText: "turned within" }).waitFor({ timeout: 30_000 });
  const turned = await page.locator("#nodes tr[data-state=turned]").count();
  assert.equal(turned, 5, "shield, two edges, headend and set-top box turn");
}

Deno.test({
  name: `the demo's page plays in Chromium through loss and purge, see demo/.run/page.png${why}`,
  ignore: !installed && !required,
  async fn() {
    assert.ok(installed, `Cannot test the page: need ${chromiumPath}: it is not installed`);
    const profile = await Deno.makeTempDir();
    const browser = await openBrowser(profile);
    try {
      await withDemo(async (url, startedMs) => {
        const page = browser.pages()[0] ?? await browser.newPage();
        const errors = listenForErrors(page);
        await Deno.mkdir(results, { recursive: true });
        const screenshot = new URL("page.png", results).pathname;
        try {
          await playAndDisturb(page, url, startedMs);
          assert.deepEqual(errors, []);
        } finally {
          await page.screenshot({ path: screenshot });
          say(`screenshot: ${screenshot}`);
        }
      });
    } finally {
      await browser.close();
      await Deno.remove(profile, { recursive: true });
    }
  },
});
