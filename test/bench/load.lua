-- One fixed request, again and again: wrk -s load.lua URL -- METHOD BODY "Name: value"…
-- Ends with a line "statuses 200=…" for the driver.
local counts = {}
local threads = {}

function setup(thread)
  table.insert(threads, thread)
end

function init(args)
  wrk.method = args[1]
  if args[2] ~= "" then wrk.body = args[2] end
  for i = 3, #args do
    local name, value = args[i]:match("^([^:]+): (.*)$")
    wrk.headers[name] = value
  end
  statuses = ""
  request_text = wrk.format()
end

function request()
  return request_text
end

function response(status)
  if status ~= 200 then
    counts[status] = (counts[status] or 0) + 1
    local text = ""
    for code, n in pairs(counts) do text = text .. " " .. code .. "=" .. n end
    statuses = text
  end
end

function done(summary, latency)
  local bad = ""
  for _, thread in ipairs(threads) do bad = bad .. thread:get("statuses") end
  local e = summary.errors
  print(string.format("result n=%d us=%d p50=%d p99=%d errors=%d bad=%s", summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99), e.connect + e.read + e.write + e.timeout, bad == "" and "none" or bad))
end
