/**
 * A disk that can lose its power: records what is done to the files under a folder through Deno's
 * calls, and lays out what a real disk might hold after a cut at any moment.
 *
 * What a cut leaves is chosen as adversely as a file system may: of bytes that were not forced to the
 * disk any page (or sector) may be old, new, zero or what stood on the disk before; a file's length
 * may be any it had since; names may be as they were before any change that no force has followed.
 *
 * @module
 */

/** Numbers in [0, 1), the same for the same seed. */
export type Chance = () => number;

/** Returns a generator: xorshift32. */
export function chanceOf(seed: number): Chance {
  let state = (seed * 2654435761) >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

/**
 * How names outlive a cut. `journaled`: in the order in which they changed, as ext4, XFS and btrfs
 * keep them; forcing any file forces all changes before. `unordered`: each change on its own, as
 * POSIX allows; only forcing its folder forces it.
 */
export type NameOrder = "journaled" | "unordered";

const pageBytes = 4096;
const sectorBytes = 512;

/** A file, whatever its names. */
class Inode {
  /** Writes in order. */
  readonly writes: { readonly op: number; readonly at: number; readonly bytes: Uint8Array }[] = [];
  /** When its bytes were forced, as counts of operations. */
  readonly syncs: number[] = [];
}

type NameChange =
  & { readonly op: number }
  & (
    | { readonly kind: "link"; readonly path: string; readonly inode: Inode }
    | {
      readonly kind: "rename";
      readonly from: string;
      readonly to: string;
      readonly inode: Inode;
    }
    | { readonly kind: "unlink"; readonly path: string; readonly inode: Inode }
  );

interface Force {
  readonly op: number;
  /** Set when a folder was forced. */
  readonly folder?: string;
}

/** Records while it is not disposed of. Forces are only recorded, so that it is fast. */
export class RecordedDisk implements Disposable {
  readonly #dir: string;
  readonly #names = new Map<string, Inode>();
  readonly #changes: NameChange[] = [];
  readonly #forces: Force[] = [];
  readonly #restore: () => void;
  #ops = 0;

  private constructor(dir: string) {
    this.#dir = dir;
    this.#restore = this.#intercept();
  }

  /** Begins with what the folder holds, all of it safe. Only one may record at a time. */
  static begin(dir: string): RecordedDisk {
    const disk = new RecordedDisk(dir);
    for (const path of filesUnder(dir)) {
      const inode = disk.#link(path);
      const bytes = Deno.readFileSync(path);
      if (bytes.length > 0) inode.writes.push({ op: 0, at: 0, bytes });
    }
    disk.#force(dir);
    for (const inode of disk.#names.values()) inode.syncs.push(disk.#ops);
    for (const path of new Set([...disk.#names.keys()].map(folderOf))) disk.#force(path);
    return disk;
  }

  /** How many operations were done: a moment at which the power may go. */
  get now(): number {
    return this.#ops;
  }

  /** Stops recording. */
  [Symbol.dispose](): void {
    this.#restore();
  }

  /** Writes into the empty folder `target` what may be left after a cut at the moment `cut`. */
  lay(target: string, { cut, order, chance }: { cut: number; order: NameOrder; chance: Chance }) {
    const names = this.#namesAfter(cut, order, chance);
    for (const [path, inode] of names) {
      const to = target + path.slice(this.#dir.length);
      Deno.mkdirSync(folderOf(to), { recursive: true });
      Deno.writeFileSync(to, contentAfter(inode, cut, chance));
    }
  }

  #namesAfter(cut: number, order: NameOrder, chance: Chance): Map<string, Inode> {
    const forces = this.#forces.filter(({ op }) => op <= cut);
    const changes = this.#changes.filter(({ op }) => op <= cut);
    const lastForce = forces.at(-1)?.op ?? 0;
    const upTo = lastForce + Math.floor(chance() * (cut - lastForce + 1));
    const keeps = [0, 0.5, 0.9, 1][Math.floor(4 * chance())];
    const isForced = ({ op }: NameChange, folder: string) =>
      forces.some((force) => force.op >= op && force.folder === folder);
    const names = new Map<string, Inode>();
    for (const change of changes) {
      const path = change.kind === "rename" ? change.to : change.path;
      const kept = order === "journaled"
        ? change.op <= upTo
        : isForced(change, folderOf(path)) || chance() < keeps;
      if (kept) apply(names, change);
    }
    return names;
  }

  #link(path: string): Inode {
    const inode = new Inode();
    this.#changes.push({ op: ++this.#ops, kind: "link", path, inode });
    this.#names.set(path, inode);
    return inode;
  }

  #force(folder?: string): void {
    this.#forces.push({ op: this.#ops, folder });
  }

  #intercept(): () => void {
    const { open, rename, remove, writeTextFile } = Deno;
    const isOurs = (path: unknown): path is string =>
      typeof path === "string" && `${path}/`.startsWith(`${this.#dir}/`);
    Deno.open = async (path, options) => {
      const file = await open(path, options);
      if (isOurs(path)) await this.#watch(file, path, options ?? {});
      return file;
    };
    Deno.rename = async (from, to) => {
      await rename(from, to);
      if (isOurs(from) && isOurs(to)) this.#renamed(from, to);
    };
    Deno.remove = async (path, options) => {
      await remove(path, options);
      if (isOurs(path)) this.#removed(path);
    };
    Deno.writeTextFile = async (path, text, options) => {
      await writeTextFile(path, text, options);
      if (!isOurs(path) || typeof text !== "string") return;
      const known = this.#names.get(path);
      const inode = options?.append && known || this.#link(path);
      this.#wrote(inode, sizeOf(inode, Infinity), new TextEncoder().encode(text));
    };
    return () => void Object.assign(Deno, { open, rename, remove, writeTextFile });
  }

  async #watch(file: Deno.FsFile, path: string, options: Deno.OpenOptions): Promise<void> {
    const { isDirectory } = await file.stat();
    const sync = () => {
      if (isDirectory) this.#force(path);
      return Promise.resolve();
    };
    if (isDirectory) return void Object.assign(file, { sync, syncData: sync });
    const known = this.#names.get(path);
    const inode = options.truncate || known === undefined ? this.#link(path) : known;
    let at = 0;
    const write = file.write.bind(file);
    const force = () => {
      inode.syncs.push(this.#ops);
      this.#force();
      return Promise.resolve();
    };
    Object.assign(file, {
      sync: force,
      syncData: force,
      write: async (bytes: Uint8Array) => {
        const written = await write(bytes);
        if (options.append) at = sizeOf(inode, Infinity);
        this.#wrote(inode, at, bytes.slice(0, written));
        at += written;
        return written;
      },
    });
  }

  #wrote(inode: Inode, at: number, bytes: Uint8Array): void {
    inode.writes.push({ op: ++this.#ops, at, bytes });
  }

  #renamed(from: string, to: string): void {
    const inode = this.#names.get(from);
    if (inode === undefined) throw new Error(`Cannot record: need a known file: received ${from}`);
    this.#changes.push({ op: ++this.#ops, kind: "rename", from, to, inode });
    this.#names.delete(from);
    this.#names.set(to, inode);
  }

  #removed(path: string): void {
    for (const [each, inode] of [...this.#names]) {
      if (each !== path && !each.startsWith(`${path}/`)) continue;
      this.#changes.push({ op: ++this.#ops, kind: "unlink", path: each, inode });
      this.#names.delete(each);
    }
  }
}

function apply(names: Map<string, Inode>, change: NameChange): void {
  const forget = (path: string) => {
    if (names.get(path) === change.inode) names.delete(path);
  };
  if (change.kind === "link") names.set(change.path, change.inode);
  else if (change.kind === "unlink") forget(change.path);
  else {
    forget(change.from);
    names.set(change.to, change.inode);
  }
}

/** Length of a file with the writes up to a moment. */
function sizeOf({ writes }: Inode, upTo: number): number {
  let size = 0;
  for (const { op, at, bytes } of writes) {
    if (op <= upTo) size = Math.max(size, at + bytes.length);
  }
  return size;
}

/** What a file may hold after a cut. */
function contentAfter(inode: Inode, cut: number, chance: Chance): Uint8Array {
  const forced = inode.syncs.findLast((op) => op <= cut) ?? -1;
  const loose = inode.writes.filter(({ op }) => op <= cut && op > forced);
  const sizes = [forced, ...loose.map(({ op }) => op)].map((op) => sizeOf(inode, op));
  const content = new Uint8Array(sizes[Math.floor(chance() * sizes.length)]);
  if (chance() < 0.3) { for (let i = 0; i < content.length; i++) content[i] = 256 * chance(); }
  const lay = (at: number, bytes: Uint8Array) => {
    if (at < content.length) content.set(bytes.subarray(0, content.length - at), at);
  };
  for (const { op, at, bytes } of inode.writes) if (op <= forced) lay(at, bytes);
  const torn = chance();
  /** How many of the loose writes a page, or a sector of a torn one, has seen. */
  const seen = new Map<number, number>();
  const seenAt = (offset: number) => {
    const page = Math.floor(offset / pageBytes);
    if (!seen.has(page)) seen.set(page, chance() < torn / 4 ? -1 : draw());
    const ofPage = seen.get(page)!;
    return ofPage === -1 ? draw() : ofPage;
  };
  const share = [0, 0.5, 0.95, 1][Math.floor(4 * chance())];
  const draw = () => chance() < share ? loose.length : Math.floor(chance() * loose.length);
  loose.forEach(({ at, bytes }, i) => {
    for (let done = 0; done < bytes.length;) {
      const offset = at + done;
      const end = Math.min(bytes.length, done + sectorBytes - offset % sectorBytes);
      if (i < seenAt(offset)) lay(offset, bytes.subarray(done, end));
      done = end;
    }
  });
  return content;
}

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}

function* filesUnder(dir: string): Iterable<string> {
  for (const { name, isDirectory } of Deno.readDirSync(dir)) {
    if (isDirectory) yield* filesUnder(`${dir}/${name}`);
    else yield `${dir}/${name}`;
  }
}
