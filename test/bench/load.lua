-- One fixed request, again and again: wrk -s load.lua URL -- METHOD BODY "Name: value"…
-- No callback for requests or answers: they would make wrk itself the thing that is measured.
function init(args)
  wrk.method = args[1]
  if args[2] ~= "" then wrk.body = args[2] end
  for i = 3, #args do
    local name, value = args[i]:match("^([^:]+): (.*)$")
    wrk.headers[name] = value
  end
end

function done(summary, latency)
  local e = summary.errors
  print(string.format("result n=%d us=%d p50=%d p99=%d errors=%d bad=%s", summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99), e.connect + e.read + e.write + e.timeout,
    e.status == 0 and "none" or e.status .. " answers of 400 and above"))
end
