/**
 * librdkafka's mock cluster in a process of its own: prints its address and runs until it is killed.
 *
 * @module
 */

const cString = (text: string) => new TextEncoder().encode(`${text}\0`);

if (import.meta.main) {
  const { symbols } = Deno.dlopen(Deno.args[0], {
    rd_kafka_new: { parameters: ["i32", "pointer", "buffer", "usize"], result: "pointer" },
    rd_kafka_mock_cluster_new: { parameters: ["pointer", "i32"], result: "pointer" },
    rd_kafka_mock_cluster_bootstraps: { parameters: ["pointer"], result: "pointer" },
    rd_kafka_mock_topic_create: {
      parameters: ["pointer", "buffer", "i32", "i32"],
      result: "i32",
    },
  });
  const client = symbols.rd_kafka_new(0, null, new Uint8Array(512), 512n);
  const cluster = symbols.rd_kafka_mock_cluster_new(client, 1);
  symbols.rd_kafka_mock_topic_create(cluster, cString("cdn-purge"), 1, 1);
  const address = symbols.rd_kafka_mock_cluster_bootstraps(cluster);
  if (address === null) Deno.exit(1);
  const text = new Deno.UnsafePointerView(address).getCString();
  Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
  await new Promise(() => setInterval(() => {}, 1 << 30));
}
