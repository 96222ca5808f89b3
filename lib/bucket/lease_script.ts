/**
 * What Redis does for one bucket at a time, atomically: the same leaky bucket as in `gcra.ts`, by
 * Redis's own clock, and what part of the limit each node goes on with when Redis is away.
 *
 * The key is declared and no other is touched, so that it also runs on DragonflyDB and in a cluster.
 *
 * @module
 */

/** The name of the command that ioredis makes of the script. */
export const leaseCommand = "downlinkLease";

/**
 * `KEYS[1]`: the bucket. `ARGV`: node, tokens wanted, tokens spent while Redis was away, units of a
 * token, units drained in a microsecond, units that fit, thousandths of a token a second that the node
 * was asked for, milliseconds after which a silent node has no part any more.
 *
 * Returns tokens granted, microseconds until there is one more, the node's part in millionths, the
 * nodes that have a part, and tokens left.
 *
 * Numbers go out with `%.0f`, because Lua would write those above 10^14 in fewer digits than they have.
 */
export const leaseScript = `
local node, want, spent = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local token, drain, capacity = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local demand, silence = tonumber(ARGV[7]), tonumber(ARGV[8])
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local nowMs = math.floor(now / 1000)

local level, at = 0, now
local gone = {}
local nodes, demands, parts = 1, demand + 1000, 0
local fields = redis.call('HGETALL', KEYS[1])
for i = 1, #fields, 2 do
  local name, value = fields[i], fields[i + 1]
  if name == 'level' then level = tonumber(value)
  elseif name == 'at' then at = tonumber(value)
  elseif name ~= 'node:' .. node then
    local asked, seen, part = string.match(value, '^(%d+) (%d+) (%d+)$')
    if asked == nil or nowMs - tonumber(seen) > silence then
      gone[#gone + 1] = name
    else
      nodes = nodes + 1
      demands = demands + tonumber(asked) + 1000
      parts = parts + tonumber(part)
    end
  end
end

if now > at then level = math.max(0, level - (now - at) * drain) end
level = math.min(level + spent * token, 2 * capacity)
local room = math.max(0, math.floor((capacity - level) / token))
local granted = math.min(want, room)
level = level + granted * token
local wait = 0
if level + token > capacity then wait = math.ceil((level + token - capacity) / drain) end

local part = math.floor(1000000 * (demand + 1000) / demands)
part = math.max(math.min(part, 1000000 - parts), math.floor(250000 / nodes))

if #gone > 0 then redis.call('HDEL', KEYS[1], unpack(gone)) end
redis.call('HSET', KEYS[1], 'level', string.format('%.0f', level), 'at', string.format('%.0f', now),
  'node:' .. node, string.format('%.0f %.0f %.0f', demand, nowMs, part))
redis.call('PEXPIRE', KEYS[1], string.format('%.0f', math.ceil(level / drain / 1000) + silence))
return { granted, wait, part, nodes, room - granted }
`;

/** What the script answers. */
export interface LeaseAnswer {
  readonly granted: number;
  readonly waitUs: number;
  /** From 0 to 1. */
  readonly part: number;
  readonly nodes: number;
  readonly left: number;
}

/** Reads what came back from Redis; `undefined` when it is something else. */
export function readAnswer(value: unknown): LeaseAnswer | undefined {
  if (!Array.isArray(value) || value.length !== 5) return undefined;
  const [granted, waitUs, millionths, nodes, left] = value.map(Number);
  const whole = [granted, waitUs, millionths, nodes, left].every((one) =>
    Number.isSafeInteger(one) && one >= 0
  );
  return whole ? { granted, waitUs, part: millionths / 1e6, nodes, left } : undefined;
}
