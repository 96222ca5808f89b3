import assert from "node:assert/strict";
import { DiskCircuit } from "./disk_circuit.ts";

const limits = { faults: 3, memoryMs: 1000, pauseMs: 100, longestPauseMs: 300 };

Deno.test("a circuit opens after faults in a row and closes after its pause", () => {
  const circuit = new DiskCircuit(limits);
  circuit.fault(1);
  circuit.fault(2);
  assert.equal(circuit.isOpen(2), false);
  circuit.fault(3);
  assert.equal(circuit.isOpen(102), true);
  assert.equal(circuit.isOpen(103), false);
});

Deno.test("one more fault opens a circuit again, twice as long and up to a limit", () => {
  const circuit = new DiskCircuit(limits);
  for (const nowMs of [1, 2, 3]) circuit.fault(nowMs);
  circuit.fault(103);
  assert.equal(circuit.isOpen(302), true);
  assert.equal(circuit.isOpen(303), false);
  circuit.fault(303);
  circuit.fault(304); // what was under way
  assert.equal(circuit.isOpen(602), true);
  assert.equal(circuit.isOpen(603), false);
});

Deno.test("a success between faults keeps a circuit closed", () => {
  const circuit = new DiskCircuit(limits);
  for (let nowMs = 0; nowMs < 100; nowMs++) {
    circuit.fault(nowMs);
    if (nowMs % 2) circuit.success();
    assert.equal(circuit.isOpen(nowMs), false);
  }
});

Deno.test("faults far apart never open a circuit", () => {
  const circuit = new DiskCircuit(limits);
  for (let nowMs = 0; nowMs < 100_000; nowMs += 1001) {
    circuit.fault(nowMs);
    assert.equal(circuit.isOpen(nowMs), false);
  }
});
