// Plain Node on lines: net, JSON and nothing else.
"use strict";

const assert = require("node:assert/strict");
const { test } = require("node:test");

const { connect } = require("./connection.js");
const { wholeSession } = require("./session.js");
const { Wire, lines } = require("./wire.js");

async function open(t) {
    return new Wire(await connect(t), lines);
}

test("a whole session", async (t) => {
    const wire = await open(t);
    await wholeSession((method, params) => wire.call(method, params));
    assert.deepEqual(await wire.finish(), []);
});

test("many requests in flight are answered in their order", async (t) => {
    const wire = await open(t);
    const { block } = await wire.call("block.alloc", { size: 8, lifetime: "session" });
    const count = 1000;

    for (let id = 0; id < count; id++) {
        const params = { block, offset: 0, type: "i64", values: [id] };
        wire.send({ jsonrpc: "2.0", id, method: id % 2 ? "block.get" : "block.set", params: id % 2 ? [block, 0, "i64"] : params });
    }
    for (let id = 0; id < count; id++) {
        const { message } = await wire.next();
        assert.equal(message.id, id);
        if (id % 2) assert.deepEqual(message.result.values, [id - 1]);
    }
    assert.deepEqual(await wire.finish(), []);
});

test("a batch is answered as one, in order, without its notifications", async (t) => {
    const wire = await open(t);
    const set = (value) => ({ block: "batched", offset: 0, values: [value] });

    wire.send([
        { jsonrpc: "2.0", id: "a", method: "block.alloc", params: { size: 1, name: "batched" } },
        { jsonrpc: "2.0", method: "block.set", params: set(7) },
        { jsonrpc: "2.0", id: 2, method: "block.get", params: { block: "batched", offset: 0 } },
        { jsonrpc: "2.0", id: 3, method: "block.get", params: { block: "batched", offset: 1 } },
        { jsonrpc: "2.0", id: 4, method: "block.free", params: ["batched"] },
        17,
    ]);
    const { message } = await wire.next();
    assert.deepEqual(message.map((answer) => answer.id), ["a", 2, 3, 4, null]);
    assert.deepEqual(message[1].result.values, [7]);
    assert.equal(message[2].error.data.name, "out_of_range");
    assert.deepEqual(message[3].result, { size: 1 });
    assert.equal(message[4].error.code, -32600);

    wire.send([]);
    assert.equal((await wire.next()).message.error.code, -32600);
    // Only notifications: the next answer is the ping's.
    wire.send([{ jsonrpc: "2.0", method: "server.ping" }]);
    await wire.call("server.ping");
    assert.deepEqual(await wire.finish(), []);
});

test("the short form is answered; a line that is wrong costs only itself", async (t) => {
    const wire = await open(t);

    wire.sendText('{"method":"server.ping"}\r');
    assert.deepEqual((await wire.next()).message, { jsonrpc: "2.0", id: null, result: {} });
    for (const [text, code] of [["this is not JSON", -32700], ['{"id":1}', -32600], ['{"jsonrpc":"2.0"', -32700]]) {
        wire.sendText(text);
        assert.equal((await wire.next()).message.error.code, code, text);
    }
    wire.sendText(" ");
    await wire.call("server.ping");
    assert.deepEqual(await wire.finish(), []);
});

test("after our end, all that was sent is answered, a last line without its end too", async (t) => {
    // libuv closes a Windows pipe whole, 50 ms after our end: what is not answered by then is lost.
    if (process.platform === "win32" && !process.env.UMEM_CARRIER) return t.skip("a pipe cannot be closed by half here");
    const wire = await open(t);
    for (let id = 0; id < 20; id++) wire.send({ id, method: "server.ping" });
    wire.stream.write('{"id":20,"method":"server.ping"}');
    const ids = (await wire.finish()).map((answer) => answer.id);
    assert.deepEqual(ids, Array.from({ length: 21 }, (_, id) => id));
});
