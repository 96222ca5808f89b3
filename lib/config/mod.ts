/**
 * Settings of a program: one parameter table makes its flags, environment variables, config file keys and help.
 *
 * @module
 */
export {
  BadValue,
  bitRate,
  bytes,
  choice,
  duration,
  formatHostPort,
  type HostPort,
  hostPort,
  integer,
  ipv4,
  isIpv4,
  isLoopback,
  list,
  name,
  optional,
  type Parameter,
  type ParameterTable,
  path,
  type Settings,
  text,
  url,
} from "./parameter.ts";
export { flagName, type Invocation, type Reading, readSettings, variableName } from "./settings.ts";
export { formatHelp, type Introduction } from "./help.ts";
