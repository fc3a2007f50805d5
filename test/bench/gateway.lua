-- One tool call, again and again: wrk -s gateway.lua URL -- BODY_FILE TOKEN_FILE "Name: value"…
-- With several tokens in the file, one to a line, each request takes the next.
local tokens, body, at = {}, nil, 0

function init(args)
  local file = assert(io.open(args[1]))
  body = file:read("a")
  file:close()
  for line in io.lines(args[2]) do tokens[#tokens + 1] = "Bearer " .. line end
  wrk.method = "POST"
  wrk.body = body
  wrk.headers["Content-Type"] = "application/json"
  wrk.headers["Accept"] = "application/json, text/event-stream"
  wrk.headers["Authorization"] = tokens[1]
  for i = 3, #args do
    local name, value = args[i]:match("^([^:]+): (.*)$")
    wrk.headers[name] = value
  end
  if #tokens > 1 then
    request = function()
      at = at % #tokens + 1
      wrk.headers["Authorization"] = tokens[at]
      return wrk.format()
    end
  end
end

function done(summary, latency)
  local e = summary.errors
  print(string.format("result n=%d us=%d p50=%d p99=%d errors=%d bad=%s", summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99), e.connect + e.read + e.write + e.timeout,
    e.status == 0 and "none" or e.status .. " answers of 400 and above"))
end
