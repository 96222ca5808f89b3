/**
 * Credentials for S3 from a file, read again when it changes, so that they can be rotated.
 *
 * @module
 */

/** Keys of one identity. Nothing prints them. */
export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** How often the file is looked at, in milliseconds. */
const lookEveryMs = 10_000;

/**
 * Reads credentials in the form of the AWS tools: lines of `aws_access_key_id = ...`,
 * `aws_secret_access_key = ...` and perhaps `aws_session_token = ...`; of several sections the first.
 *
 * @throws {Error} One sentence without any of the values.
 */
export function parseCredentials(text: string): S3Credentials {
  const values = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    if (line.trimStart().startsWith("[") && values.size > 0) break;
    const [, name, value] = /^\s*(aws_[a-z_]+)\s*=\s*(\S+)\s*$/.exec(line) ?? [];
    if (name !== undefined) values.set(name, value);
  }
  const accessKeyId = values.get("aws_access_key_id");
  const secretAccessKey = values.get("aws_secret_access_key");
  if (accessKeyId === undefined || secretAccessKey === undefined) {
    const names = [...values.keys()].join(", ") || "neither";
    throw new Error(`need aws_access_key_id and aws_secret_access_key: received ${names}`);
  }
  const sessionToken = values.get("aws_session_token");
  return { accessKeyId, secretAccessKey, ...sessionToken === undefined ? {} : { sessionToken } };
}

/** Credentials of a file. */
export class CredentialsFile {
  readonly #file: string;
  readonly #nowMs: () => number;
  #lookedMs: number;
  #modifiedMs: number;
  #credentials: S3Credentials;

  /** @throws {Error} When the file cannot be read or holds none. */
  constructor(file: string, nowMs: () => number = Date.now) {
    this.#file = file;
    this.#nowMs = nowMs;
    this.#lookedMs = nowMs();
    this.#modifiedMs = modifiedMs(file);
    this.#credentials = parseCredentials(Deno.readTextFileSync(file));
  }

  /** The newest; those before when the file is just being replaced. */
  get current(): S3Credentials {
    if (this.#nowMs() - this.#lookedMs >= lookEveryMs) this.#look();
    return this.#credentials;
  }

  #look(): void {
    this.#lookedMs = this.#nowMs();
    try {
      const modified = modifiedMs(this.#file);
      if (modified === this.#modifiedMs) return;
      this.#credentials = parseCredentials(Deno.readTextFileSync(this.#file));
      this.#modifiedMs = modified;
    } catch {
      // Between two versions: the next look finds the new one.
    }
  }
}

function modifiedMs(file: string): number {
  return Deno.statSync(file).mtime?.getTime() ?? 0;
}
