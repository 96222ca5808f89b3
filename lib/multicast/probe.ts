/** True when a datagram sent to a group on that interface comes back; else one sentence that says why not. */
export declare function probeMulticast(interfaceAddress: string): Promise<true | string>;
