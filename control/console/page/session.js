/**
 * Who looks at the console, and how it talks with control.
 *
 * @module
 */

/** An answer that is no success. */
export class Refusal extends Error {
  /**
   * @param {number} status 0 when control did not answer.
   * @param {string} sentence
   */
  constructor(status, sentence) {
    super(sentence);
    this.status = status;
  }
}

/**
 * Asks control.
 *
 * @param {string} method
 * @param {string} path
 * @param {unknown} [body] Sent as JSON.
 * @returns {Promise<any>} What it answered; `undefined` when there is no body.
 */
export async function ask(method, path, body) {
  const headers = body === undefined ? {} : { "content-type": "application/json" };
  const init = { method, headers, body: body && JSON.stringify(body) };
  let response;
  try {
    response = await fetch(path, init);
  } catch {
    throw new Refusal(0, "Control does not answer.");
  }
  if (response.status === 204) return undefined;
  const text = await response.text();
  const answer = text.startsWith("{") ? JSON.parse(text) : {};
  if (response.ok) return answer;
  throw new Refusal(response.status, answer.error ?? `Control answered ${response.status}.`);
}

/** Whether any one of some scopes is the session's. */
export function may(session, ...scopes) {
  return session.scopes.includes("admin") || scopes.some((scope) => session.scopes.includes(scope));
}

/**
 * Follows the feed, and comes again when it ends.
 *
 * @param {{ onEvent: (name: string, data: any) => void, onState: (state: "live" | "away") => void, onRefused: () => void }} listeners
 */
export class Feed {
  #listeners;
  #source;
  #timer;

  constructor(listeners) {
    this.#listeners = listeners;
  }

  open() {
    this.close();
    const source = new EventSource("/console/events");
    this.#source = source;
    for (const name of ["history", "nodes", "topology", "purges", "fleet", "beat"]) {
      source.addEventListener(name, ({ data }) => {
        this.#listeners.onState("live");
        this.#listeners.onEvent(name, JSON.parse(data));
      });
    }
    source.addEventListener("error", () => {
      if (source.readyState !== EventSource.CLOSED) return; // it comes again by itself
      this.#listeners.onState("away");
      this.#timer = setTimeout(() => this.#retry(), 2000);
    });
  }

  close() {
    clearTimeout(this.#timer);
    this.#source?.close();
  }

  /** An event source does not say why it was refused. */
  async #retry() {
    try {
      await ask("GET", "/console/session");
    } catch (error) {
      if (error.status === 401 || error.status === 403) return this.#listeners.onRefused();
    }
    this.open();
  }
}
