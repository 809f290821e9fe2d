-- Sends Segment track calls of about 2 KB, each with its own messageId, from many customers. Their orders are
-- of as many kinds as the third argument says (1), the customers as many as the fourth (20000).
local thread_number = 0
function setup(thread)
  thread:set("number", thread_number)
  thread_number = thread_number + 1
end

local kinds = {
  "Product Viewed", "Product Viewed", "Product Viewed", "Product Viewed", "Product Viewed",
  "Product Added", "Product Added", "Cart Viewed", "Checkout Started", "Order Completed",
}
local sent, run, buckets, customers = 0, "", 1, 20000
local before, between, after = "", "", ""

function init(args)
  run = args[1] or "run"
  local file = io.open(args[2], "r")
  local body = file:read("*a")
  file:close()
  buckets = tonumber(args[3] or "1")
  customers = tonumber(args[4] or "20000")
  wrk.method = "POST"
  wrk.path = "/webhooks/segment"
  wrk.headers["Content-Type"] = "application/json"
  parts = {}
  for part in (body .. "\0"):gmatch("(.-)@%a+@") do parts[#parts + 1] = part end
  parts[#parts + 1] = body:match(".*@%a+@(.*)$")
end

function request()
  sent = sent + 1
  local user = (sent * 7919 + number * 104729) % customers
  local body = parts[1] .. run .. "-" .. number .. "-" .. sent
    .. parts[2] .. "shopper-" .. user
    .. parts[3] .. kinds[sent % #kinds + 1] .. parts[4] .. "O-" .. user % buckets .. parts[5]
  return wrk.format(nil, nil, nil, body)
end

function done(summary, latency, requests)
  local bad = summary.errors.status + summary.errors.connect + summary.errors.read
    + summary.errors.write + summary.errors.timeout
  io.write(string.format(
    'RESULT {"requests_per_s": %.1f, "p50_ms": %.3f, "p99_ms": %.3f, "bad": %d, "requests": %d}\n',
    summary.requests / (summary.duration / 1e6), latency:percentile(50) / 1000,
    latency:percentile(99) / 1000, bad, summary.requests))
end
