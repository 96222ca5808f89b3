/**
 * Finding out whether multicast works here, before relying on it: containers and strict hosts often
 * forbid it.
 *
 * @module
 */

import { type DatagramReceiver, openReceiver } from "./receiver.ts";
import { openSender } from "./sender.ts";

/** A group of the administratively scoped block that this product uses for nothing else. */
const probeGroup = "239.255.30.251";

const waitMs = 500;
const attempts = 3;

/**
 * Sends a datagram to a group on an interface and waits for it to come back.
 *
 * @param interfaceAddress IPv4 address of the interface.
 * @returns True, or one sentence that says why multicast does not work.
 */
export async function probeMulticast(interfaceAddress: string): Promise<true | string> {
  try {
    const receiver = await openReceiver({
      group: probeGroup,
      port: 0,
      interface: interfaceAddress,
    });
    try {
      return await comesBack(receiver, interfaceAddress) ||
        `Cannot use multicast on ${interfaceAddress}: need a datagram to come back: ` +
          `received none in ${attempts * waitMs} ms`;
    } finally {
      receiver.close();
    }
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

async function comesBack(receiver: DatagramReceiver, interfaceAddress: string): Promise<boolean> {
  const to = { host: probeGroup, port: receiver.address.port };
  const sender = await openSender({ to, interface: interfaceAddress });
  const token = crypto.getRandomValues(new Uint8Array(16));
  const heard = hears(receiver, token);
  try {
    for (let attempt = 0; attempt < attempts; attempt++) {
      await sender.send(token);
      if (await within(waitMs, heard)) return true;
    }
    return false;
  } finally {
    sender.close();
  }
}

/** Resolves when the token comes, or to false when the receiver is closed. */
async function hears(receiver: DatagramReceiver, token: Uint8Array): Promise<boolean> {
  const buffer = new Uint8Array(2048);
  for (let got; (got = await receiver.receive(buffer));) {
    const { bytes } = got;
    if (bytes.length === token.length && bytes.every((byte, i) => byte === token[i])) return true;
  }
  return false;
}

async function within(ms: number, heard: Promise<boolean>): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<boolean>((resolve) => timer = setTimeout(() => resolve(false), ms));
  try {
    return await Promise.race([heard, late]);
  } finally {
    clearTimeout(timer);
  }
}
