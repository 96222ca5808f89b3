/**
 * Apache Kafka's jars: fetched once by Maven from wherever it is set up to fetch, checked against the
 * digests in this folder, and kept outside of the tree.
 *
 * @module
 */

import { createHash } from "node:crypto";

/** The Kafka that the tests run: the newest line that Java 11 and 17 both start and kafkajs knows. */
export const kafkaVersion = "3.9.1";

const digests = new URL("./kafka_jars.sha256", import.meta.url);
const copyJars = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies";

/** Where the jars are kept. */
export function jarFolder(): string {
  const cache = Deno.env.get("XDG_CACHE_HOME") ?? `${Deno.env.get("HOME") ?? "/tmp"}/.cache`;
  return `${cache}/downlink-tests/kafka-${kafkaVersion}`;
}

/** Whether the jars are there. Their digests were checked before they were put there. */
export function hasJars(): boolean {
  try {
    return Deno.statSync(`${jarFolder()}/kafka_2.13-${kafkaVersion}.jar`).isFile;
  } catch {
    return false;
  }
}

/** Fetches the jars unless they are there; returns what stood in the way. */
export async function fetchKafka(): Promise<string | undefined> {
  if (hasJars()) return undefined;
  const folder = jarFolder();
  const work = `${folder}.part-${crypto.randomUUID().slice(0, 8)}`;
  await Deno.mkdir(`${work}/jars`, { recursive: true });
  try {
    await Deno.writeTextFile(`${work}/pom.xml`, pom());
    const problem = await maven(work) ?? await wrongDigest(`${work}/jars`);
    if (problem !== undefined) return problem;
    await Deno.remove(folder, { recursive: true }).catch(() => {});
    await Deno.rename(`${work}/jars`, folder);
    return undefined;
  } finally {
    await Deno.remove(work, { recursive: true }).catch(() => {});
  }
}

async function maven(work: string): Promise<string | undefined> {
  const args = ["-q", "-B", "-C", "-f", `${work}/pom.xml`, copyJars, "-DincludeScope=runtime"];
  try {
    const { success, stdout } = await new Deno.Command("mvn", {
      args: [...args, `-DoutputDirectory=${work}/jars`],
      stdin: "null",
      stdout: "piped",
      stderr: "null",
    }).output();
    if (success) return undefined;
    const line = /\[ERROR\][^\n]*/.exec(new TextDecoder().decode(stdout))?.[0] ?? "mvn failed";
    return line.slice(0, 300);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "mvn is not installed";
    throw error;
  }
}

/** Names the first jar that is missing, unknown or not the one whose digest we know. */
async function wrongDigest(folder: string): Promise<string | undefined> {
  const known = new Map<string, string>();
  for (const line of (await Deno.readTextFile(digests)).trim().split("\n")) {
    const [digest, name] = line.split(/\s+/);
    known.set(name, digest);
  }
  for await (const { name } of Deno.readDir(folder)) {
    const bytes = await Deno.readFile(`${folder}/${name}`);
    const digest = createHash("sha256").update(bytes).digest("hex");
    if (known.get(name) !== digest) return `${name} has another digest than expected`;
    known.delete(name);
  }
  const [missing] = known.keys();
  return missing && `${missing} was not fetched`;
}

/** Coordinates only: where they come from is Maven's own configuration. */
function pom(): string {
  return `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>downlink.tests</groupId><artifactId>kafka</artifactId><version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId>
      <version>${kafkaVersion}</version>
    </dependency>
    <dependency>
      <groupId>org.slf4j</groupId><artifactId>slf4j-nop</artifactId><version>1.7.36</version>
    </dependency>
  </dependencies>
</project>
`;
}
