-- One request again and again, with the names in it picked anew each time. Everything comes from the environment: the
-- request holds a secret, which is in no process list so.
--
-- BENCH_REQUEST is the whole text of the request; <service>, <user> and <role> in it stand for names. Names are all of
-- one length, so the text says its Content-Length already. The others are the sizes of the data set (dataset.py), which
-- picks names by the same arithmetic.

local function size(name) return tonumber(os.getenv("BENCH_" .. name)) end
local services, users, tokens, roles = size("SERVICES"), size("USERS"), size("TOKENS"), size("ROLES")

-- Text and names in turn: pieces[2], pieces[4], … are picked.
local pieces, picked = {}, {}
for text, name in (os.getenv("BENCH_REQUEST") .. "<>"):gmatch("(.-)<(%a*)>") do
    pieces[#pieces + 1] = text
    if name ~= "" then
        pieces[#pieces + 1] = ""
        picked[#pieces] = name
    end
end

math.randomseed(size("SEED"))

function request()
    if not next(picked) then return pieces[1] end
    local number = math.random(0, tokens - 1)
    local user = number % users
    local names = {
        user = string.format("user-%06d", user),
        service = string.format("service-%06d", (math.floor(number / users) + user) % services),
        role = string.format("role-%06d", number % roles),
    }
    for place, name in pairs(picked) do pieces[place] = names[name] end
    return table.concat(pieces)
end

-- A line of JSON for wrk.py; times in microseconds.
function done(summary, latency)
    local errors = summary.errors
    io.write(string.format(
        '\n{"requests":%d,"microseconds":%d,"bytes":%d,"p50":%d,"p99":%d,'
            .. '"errors":{"connect":%d,"read":%d,"write":%d,"status":%d,"timeout":%d}}\n',
        summary.requests, summary.duration, summary.bytes, latency:percentile(50), latency:percentile(99),
        errors.connect, errors.read, errors.write, errors.status, errors.timeout
    ))
end
