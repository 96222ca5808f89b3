/**
 * What the disk store tells of what went wrong. The words are metric labels and log fields.
 *
 * @module
 */

/** Why an object was lost or not admitted, or what was found on the disk. */
export type DiskFaultReason =
  /** No space left although the budget was not reached. */
  | "disk_full"
  | "write_failed"
  | "read_failed"
  /** The process may open no more files; the object stays. */
  | "no_descriptors"
  /** A file that the store had written is gone. */
  | "vanished"
  /** Bytes are not those that were written. They were not served. */
  | "bad_checksum"
  /** A file of ours that is not a whole object. */
  | "bad_record"
  /** A file that is not ours; it is left alone. */
  | "foreign_file"
  /** The journal cannot be read or written; only recency and revalidated heads depend on it. */
  | "journal_failed"
  /** More was waiting to be written than the queue may hold, so the object was not admitted. */
  | "queue_full"
  /** More came than may be written a second, so the object was not admitted. */
  | "over_write_rate"
  /** The object is larger than the budget, or its head than a head may be. */
  | "too_large"
  /** Everything else in the store is being read or written, so the object was not admitted. */
  | "no_room";

/** One event. */
export interface DiskFault {
  readonly reason: DiskFaultReason;
  /** The file, the key or the system's own words. */
  readonly detail: string;
}

/** An error with which a body's stream fails. */
export class DiskReadError extends Error {
  override name = "DiskReadError";
  constructor(readonly reason: DiskFaultReason, message: string, options?: ErrorOptions) {
    super(message, options);
  }
}

/** Whether the process, or the machine, has no file descriptor left. */
export function isNoDescriptor(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code;
  return code === "EMFILE" || code === "ENFILE";
}

/** Whether the system refused a write for want of space. */
export function isNoSpace(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code;
  return code === "ENOSPC" || code === "EDQUOT";
}
