-- Sends orders with a code to a path of the checkout. `@N@` in the body is a number: of the calls in turn, from the
-- first one; with a step it jumps through `count` numbers, so that neighbours in time are not neighbours in the store.
local sent, path, first, count, step = 0, "", 0, 1, 1
local parts = {}

function init(args)
  path = args[1]
  local file = io.open(args[2], "r")
  local body = file:read("*a")
  file:close()
  first, count, step = tonumber(args[3]), tonumber(args[4]), tonumber(args[5])
  wrk.method = "POST"
  wrk.path = path
  wrk.headers["Content-Type"] = "application/json"
  for part in (body .. "@N@"):gmatch("(.-)@N@") do parts[#parts + 1] = part end
end

function request()
  local number = first + (sent * step) % count
  sent = sent + 1
  local key = path == "/v1/redemptions" and { ["Idempotency-Key"] = "key-" .. number } or {}
  for name, value in pairs(wrk.headers) do key[name] = value end
  return wrk.format(nil, nil, key, table.concat(parts, number))
end

function done(summary, latency, requests)
  local bad = summary.errors.status + summary.errors.connect + summary.errors.read
    + summary.errors.write + summary.errors.timeout
  io.write(string.format(
    'RESULT {"requests_per_s": %.1f, "p50_ms": %.3f, "p99_ms": %.3f, "bad": %d, "requests": %d}\n',
    summary.requests / (summary.duration / 1e6), latency:percentile(50) / 1000,
    latency:percentile(99) / 1000, bad, summary.requests))
end
