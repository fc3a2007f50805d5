-- The code flow with a live session and a remembered consent: authorize, take the code out of the
-- answer, redeem it. wrk -s flow.lua URL -- AUTHORIZE_PATH COOKIE TOKEN_PATH AUTHORIZATION BODY
-- where BODY ends with "code=". Codes wait in a list, so that any free connection redeems one.
local threads = {}
local codes = {}
local redeem_head
local redeem_body

function setup(thread)
  table.insert(threads, thread)
end

function init(args)
  flows = 0
  bad = ""
  authorize = wrk.format("GET", args[1], { ["Cookie"] = args[2], ["Accept"] = "text/html" })
  token_path = args[3]
  redeem_head = { ["Authorization"] = args[4], ["Content-Type"] = "application/x-www-form-urlencoded" }
  redeem_body = args[5]
end

function request()
  local n = #codes
  if n == 0 then return authorize end
  local code = codes[n]
  codes[n] = nil
  return wrk.format("POST", token_path, redeem_head, redeem_body .. code)
end

function response(status, headers, body)
  if status == 200 and body:find('"access_token"', 1, true) then
    flows = flows + 1
    return
  end
  local where = headers["Location"] or headers["location"] or body
  local code = where:match("[?&;]code=([^&\"'%s]+)")
  if code then
    table.insert(codes, code)
  else
    bad = status .. " " .. where:sub(1, 200):gsub("%s", " ")
  end
end

function done(summary, latency)
  local total, wrong = 0, ""
  for _, thread in ipairs(threads) do
    total = total + thread:get("flows")
    if thread:get("bad") ~= "" then wrong = thread:get("bad") end
  end
  local e = summary.errors
  print(string.format("result n=%d us=%d p50=%d p99=%d errors=%d bad=%s", total, summary.duration,
    latency:percentile(50), latency:percentile(99), e.connect + e.read + e.write + e.timeout, wrong == "" and "none" or wrong))
end
