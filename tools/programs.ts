/**
 * The five programs: where each starts, what it may touch, what its binary embeds. The tasks, the
 * demo and `deno task compile` all read this table.
 *
 * @module
 */

/** One program. */
export interface ProgramBuild {
  /** The binary is `downlink-<name>`. */
  readonly name: "edge" | "shield" | "control" | "headend" | "stb";
  readonly main: string;
  /** Permission flags, as narrow as its job allows; the same for `deno run` and `deno compile`. */
  readonly permissions: readonly string[];
  /** Files embedded in the binary. */
  readonly include: readonly string[];
}

/** What every program needs: its sockets, its own and its service manager's variables, its files. */
const common = [
  "--no-prompt",
  "--allow-net",
  "--allow-env=DOWNLINK_*,NOTIFY_SOCKET,WATCHDOG_USEC",
  "--allow-read",
  "--allow-write",
];

/** kafkajs reads variables of its own, and whether it is under test. */
const withKafka = common.map((flag) =>
  flag.startsWith("--allow-env") ? `${flag},KAFKAJS_*,NODE_ENV` : flag
);

/** What every binary embeds: the licences of what is in it. */
export const commonIncludes: readonly string[] = [
  "LICENSE",
  "lib/build/notices.txt",
];

/** The command line: asks control, reads its token, and nothing else. */
export const commandLine: Omit<ProgramBuild, "name"> & { readonly name: "cli" } = {
  name: "cli",
  main: "cli/main.ts",
  permissions: ["--no-prompt", "--allow-net", "--allow-env=DOWNLINK_*", "--allow-read"],
  include: [],
};

/** The programs in the order in which they start. */
export const programs: readonly ProgramBuild[] = [
  {
    name: "control",
    main: "control/main.ts",
    permissions: withKafka,
    include: ["control/console/page"],
  },
  { name: "shield", main: "shield/main.ts", permissions: withKafka, include: [] },
  { name: "edge", main: "edge/main.ts", permissions: withKafka, include: [] },
  // --allow-ffi: SO_RCVBUF of the receive socket; --allow-sys: multicast-dns lists the interfaces.
  {
    name: "headend",
    main: "satellite/main.ts",
    permissions: common,
    include: [],
  },
  {
    name: "stb",
    main: "stb/main.ts",
    permissions: [...common, "--allow-ffi", "--allow-sys=networkInterfaces,osRelease"],
    include: ["stb/page"],
  },
];
