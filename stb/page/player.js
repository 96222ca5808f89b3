/**
 * The picture: a live transport stream through mpegts.js, started again when it breaks.
 *
 * @module
 */

/** Waits before a new try, in milliseconds; the last one repeats. */
const retryMs = [500, 1000, 2000, 4000];
/** A picture that stands still for so long is started again. */
const frozenMs = 8_000;

/** @typedef {{ onState: (state: "tuning" | "playing" | "paused" | "waiting") => void }} Listener */

/** Plays one service at a time in one video element. */
export class Player {
  #video;
  #listener;
  #url = "";
  #engine;
  #retries = 0;
  #retryTimer;
  #movedMs = 0;
  #lastTime = 0;
  #wanted = true;
  /** How often the picture stood still after it had started. */
  stalls = 0;

  /**
   * @param {HTMLVideoElement} video
   * @param {Listener} listener
   */
  constructor(video, listener) {
    this.#video = video;
    this.#listener = listener;
    video.addEventListener("playing", () => {
      this.#retries = 0;
      listener.onState("playing");
    });
    video.addEventListener("waiting", () => {
      if (this.#lastTime > 0 && !video.seeking) this.stalls++;
      listener.onState("waiting");
    });
    video.addEventListener("pause", () => listener.onState("paused"));
    setInterval(() => this.#watch(), 1000);
  }

  /** Seconds of picture that are ready to play. */
  get aheadSeconds() {
    const { buffered, currentTime } = this.#video;
    return buffered.length === 0 ? 0 : Math.max(0, buffered.end(buffered.length - 1) - currentTime);
  }

  /** @param {string} url Path of the live stream. */
  tune(url) {
    if (url === this.#url) return;
    this.#url = url;
    this.#retries = 0;
    this.#start();
  }

  /** Plays on from the live edge, or pauses. */
  toggle() {
    this.#wanted = this.#video.paused;
    if (this.#wanted) this.#start();
    else this.#video.pause();
  }

  #start() {
    this.#stop();
    if (this.#url === "") return;
    this.#listener.onState("tuning");
    this.#lastTime = 0;
    this.#movedMs = performance.now();
    const { mpegts } = globalThis;
    if (!mpegts?.isSupported()) return this.#listener.onState("waiting");
    this.#engine = mpegts.createPlayer(
      { type: "mpegts", isLive: true, url: this.#url },
      {
        enableStashBuffer: false,
        lazyLoad: false,
        liveBufferLatencyChasing: false,
        autoCleanupSourceBuffer: true,
        autoCleanupMaxBackwardDuration: 30,
        autoCleanupMinBackwardDuration: 15,
      },
    );
    this.#engine.on(mpegts.Events.ERROR, () => this.#retry());
    this.#engine.on(mpegts.Events.LOADING_COMPLETE, () => this.#retry());
    this.#engine.attachMediaElement(this.#video);
    this.#engine.load();
    this.#video.play().catch(() => {});
  }

  #stop() {
    clearTimeout(this.#retryTimer);
    this.#engine?.destroy();
    this.#engine = undefined;
  }

  #retry() {
    clearTimeout(this.#retryTimer);
    const waitMs = retryMs[Math.min(this.#retries++, retryMs.length - 1)];
    this.#retryTimer = setTimeout(() => this.#start(), waitMs);
  }

  #watch() {
    const video = this.#video;
    const nowMs = performance.now();
    if (video.currentTime !== this.#lastTime || !this.#wanted) {
      this.#lastTime = video.currentTime;
      this.#movedMs = nowMs;
      return;
    }
    // A gap in the stream: what lies behind it can be played.
    const { buffered, currentTime } = video;
    for (let index = 0; index < buffered.length; index++) {
      const start = buffered.start(index);
      if (start > currentTime && start - currentTime < 10) video.currentTime = start + 0.05;
    }
    if (nowMs - this.#movedMs > frozenMs) this.#start();
  }
}
