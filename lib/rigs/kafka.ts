/**
 * A Kafka broker for tests: Apache Kafka in KRaft mode, or librdkafka's mock cluster where Kafka's
 * jars could not be fetched.
 *
 * @module
 */

import { hasJars, jarFolder, kafkaVersion } from "./kafka_jars.ts";

/** What answers: the real broker, a mock that keeps everything in memory, or nothing. */
export type BrokerKind = "kafka" | "mock" | "none";

/** A broker that a test started. */
export interface KafkaRig extends AsyncDisposable {
  readonly kind: BrokerKind;
  /** `127.0.0.1:port`; the same after {@link KafkaRig.restart}. */
  readonly address: string;
  /** Stops the broker and waits until it has gone. */
  stop(signal: Deno.Signal): Promise<void>;
  /** Starts it again on the same port and data. */
  restart(): Promise<void>;
  /** Most memory that it has used, in bytes. */
  peakBytes(): Promise<number>;
}

const mockLibrary = "librdkafka.so.1";

/** Which broker {@link startKafka} would start on this machine. */
export const brokerKind: BrokerKind = hasJars() && runs("java", ["-version"])
  ? "kafka"
  : hasMockLibrary()
  ? "mock"
  : "none";

/** What {@link brokerKind} stands for, for the names of tests. */
export const brokerName: string = {
  kafka: `Apache Kafka ${kafkaVersion}`,
  mock: "librdkafka's mock cluster",
  none: "no Kafka: Maven and librdkafka1 are missing",
}[brokerKind];

/** Starts the broker that {@link brokerKind} names. @throws {Error} When it does not start. */
export async function startKafka(): Promise<KafkaRig> {
  if (brokerKind === "kafka") return await startReal();
  if (brokerKind === "mock") return await startMock();
  throw new Error(`Cannot start Kafka: ${brokerName}`);
}

async function startReal(): Promise<KafkaRig> {
  const dir = await Deno.makeTempDir({ prefix: "downlink-kafka-" });
  const [port, controllerPort] = [freePort(), freePort()];
  await Deno.mkdir(`${dir}/data`);
  await Deno.writeTextFile(`${dir}/server.properties`, properties(dir, port, controllerPort));
  // What `kafka-storage format` writes, without the start of another JVM.
  const meta = "version=1\ncluster.id=MkU3OEVBNTcwNTJENDM2Qk\nnode.id=1\n" +
    "directory.id=3fXrZ7pKTzGqJrYcGmYkYw\n";
  await Deno.writeTextFile(`${dir}/data/meta.properties`, meta);
  const args = ["-Xmx160m", "-Xms64m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
    .concat("-cp", `${jarFolder()}/*`, "kafka.Kafka", `${dir}/server.properties`);
  const command = new Deno.Command("java", {
    args,
    cwd: dir,
    stdin: "null",
    stdout: "null",
    stderr: "null",
  });
  let child: Deno.ChildProcess | undefined;
  const start = async () => {
    child = command.spawn();
    await accepting(port, child);
  };
  addEventListener("unload", () => child?.kill("SIGKILL")); // a test that never came to its end
  const stop = async (signal: Deno.Signal) => {
    const stopping = child;
    child = undefined;
    if (stopping === undefined) return;
    stopping.kill(signal);
    await stopping.status;
  };
  const rig: KafkaRig = {
    kind: "kafka",
    address: `127.0.0.1:${port}`,
    stop,
    restart: start,
    peakBytes: async () => {
      const status = await Deno.readTextFile(`/proc/${child?.pid}/status`);
      return 1024 * Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]);
    },
    async [Symbol.asyncDispose]() {
      await stop("SIGKILL");
      await Deno.remove(dir, { recursive: true });
    },
  };
  try {
    await start();
  } catch (error) {
    await rig[Symbol.asyncDispose]();
    throw error;
  }
  return rig;
}

function properties(dir: string, port: number, controllerPort: number): string {
  return `process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:${controllerPort}
listeners=PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}
advertised.listeners=PLAINTEXT://127.0.0.1:${port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs=${dir}/data
inter.broker.protocol.version=3.9
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.num.partitions=1
transaction.state.log.min.isr=1
log.cleaner.enable=false
log.retention.check.interval.ms=300
log.initial.task.delay.ms=100
log.segment.delete.delay.ms=100
controlled.shutdown.enable=false
broker.session.timeout.ms=1000
broker.heartbeat.interval.ms=100
initial.broker.registration.timeout.ms=20000
num.network.threads=1
num.io.threads=2
`;
}

/** Waits until a broker accepts connections. */
async function accepting(port: number, child: Deno.ChildProcess): Promise<void> {
  let ended = false;
  child.status.then(() => ended = true);
  for (let tries = 0; tries < 600 && !ended; tries++) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  throw new Error(`Cannot start Kafka: need a broker on port ${port}: received none`);
}

async function startMock(): Promise<KafkaRig> {
  const program = new URL("./kafka_mock.ts", import.meta.url).pathname;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", program, mockLibrary],
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const { value = "" } = await reader.read();
  const address = /^(127\.0\.0\.1:\d+)/.exec(value)?.[1];
  const stop = async (signal: Deno.Signal) => {
    child.kill(signal);
    await child.status;
  };
  if (address === undefined) {
    await stop("SIGKILL");
    throw new Error("Cannot start Kafka: need the mock cluster's address");
  }
  let ended = false;
  return {
    kind: "mock",
    address,
    stop: async (signal) => {
      ended = true;
      await stop(signal);
    },
    restart: () => Promise.reject(new Error("the mock cluster cannot be started again")),
    peakBytes: () => Promise.resolve(0),
    async [Symbol.asyncDispose]() {
      if (!ended) await stop("SIGKILL");
      await reader.cancel();
    },
  };
}

function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  return port;
}

function runs(program: string, args: string[]): boolean {
  try {
    const options = { args, stdin: "null", stdout: "null", stderr: "null" } as const;
    return new Deno.Command(program, options).outputSync().success;
  } catch {
    return false;
  }
}

function hasMockLibrary(): boolean {
  try {
    Deno.dlopen(mockLibrary, {}).close();
    return true;
  } catch {
    return false;
  }
}
