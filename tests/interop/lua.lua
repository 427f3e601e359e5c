-- A session with lua-cjson and LuaSocket, on lines. cjson writes numbers with 14 digits.
-- The daemon's pipe is in UMEM_PIPE.
local cjson = require "cjson"
local pipe = require "socket.unix"()

assert(pipe:connect(os.getenv "UMEM_PIPE"))

local last_id = 0

local function call(method, params)
    last_id = last_id + 1
    assert(pipe:send(cjson.encode { jsonrpc = "2.0", id = last_id, method = method, params = params } .. "\n"))
    local answer = cjson.decode((assert(pipe:receive "*l")))
    assert(answer.id == last_id, "not its answer")
    return answer.result, answer.error
end

local function expect(what, found, wanted)
    if found ~= wanted then
        error(("%s: expected %s, found %s"):format(what, wanted, found))
    end
    print("ok: " .. what)
end

local function refused(code, name, method, params)
    local _, problem = call(method, params)
    expect(method .. " is refused by code", problem and problem.code, code)
    expect(method .. " is refused by name", problem.data.name, name)
end

expect("ping", type(call("server.ping")), "table")
local made = call("block.alloc", { size = 8, name = "lua", lifetime = "session" })
expect("alloc", made.size, 8)
expect("write", call("block.write", { block = "lua", data = "umem", encoding = "utf8", offset = 1 }).size, 4)
expect("read", call("block.read", { "lua", 1, 4, "utf8" }).data, "umem")
-- cjson.null is what stands for a parameter that is passed over.
expect("null", call("block.read", { "lua", cjson.null, 1, "hex" }).data, "00")
call("block.set", { block = "lua", offset = 0, type = "f64", values = { 0.1 } })
expect("a double", call("block.get", { block = "lua", offset = 0, type = "f64" }).values[1], 0.1)
refused(-32003, "out_of_range", "block.read", { block = "lua", offset = 6, size = 4 })
refused(-32601, "method_not_found", "block.frobnicate", { 1 })

-- A notification, and a batch of two.
assert(pipe:send(cjson.encode { jsonrpc = "2.0", method = "block.set", params = { "lua", 0, { 9 } } } .. "\n"))
assert(pipe:send(cjson.encode {
    { jsonrpc = "2.0", id = "a", method = "block.get", params = { "lua", 0 } },
    { jsonrpc = "2.0", id = "b", method = "block.free", params = { "lua" } },
} .. "\n"))
local answers = cjson.decode((assert(pipe:receive "*l")))
expect("batch", answers[1].id .. answers[2].id, "ab")
expect("its first answer", answers[1].result.values[1], 9)
expect("its second", answers[2].result.size, 8)
refused(-32001, "unknown_handle", "block.free", { block = "lua" })

-- By handle, as it was read: a fresh daemon's handles have 14 digits at most.
local handle = call("block.alloc", { size = 1, lifetime = "session" }).block
expect("a handle", call("block.free", { block = handle }).size, 1)
pipe:close()
