// Plain Node on headers: net, JSON, and raw bytes behind it.
"use strict";

const assert = require("node:assert/strict");
const crypto = require("node:crypto");
const { test } = require("node:test");

const { connect } = require("./connection.js");
const { wholeSession } = require("./session.js");
const { Wire, headers } = require("./wire.js");

async function open(t) {
    return new Wire(await connect(t), headers);
}

test("a whole session", async (t) => {
    const wire = await open(t);
    await wholeSession((method, params) => wire.call(method, params));
    assert.deepEqual(await wire.finish(), []);
});

test("raw payloads of several megabytes, both ways", async (t) => {
    const wire = await open(t);
    const bytes = crypto.randomBytes(8 << 20);
    const { block } = await wire.call("block.alloc", { size: bytes.length, lifetime: "session" });

    const written = await wire.exchange("block.write", { block, encoding: "raw" }, bytes);
    assert.deepEqual(written.result, { size: bytes.length });
    const read = await wire.exchange("block.read", { block, encoding: "raw" });
    assert.deepEqual(read.result, { size: bytes.length });
    assert.ok(read.payload.equals(bytes));

    // A piece within, and JSON's encodings see the same bytes.
    const piece = Buffer.from([0, 10, 13, 255]);
    await wire.exchange("block.write", { block, offset: 1000, encoding: "raw", size: 4 }, piece);
    assert.equal((await wire.call("block.read", { block, offset: 1000, size: 4, encoding: "hex" })).data, "000a0dff");
    const empty = await wire.exchange("block.read", { block, size: 0, encoding: "raw" });
    assert.equal(empty.payload.length, 0);
    assert.deepEqual(await wire.finish(), []);
});

test("a payload that is refused is passed over, and the connection stays in step", async (t) => {
    const wire = await open(t);
    const { block } = await wire.call("block.alloc", { size: 16, lifetime: "session" });
    const payload = Buffer.from('Content-Length: 2\r\n\r\n{"');
    const named = (name) => (error) => error.data.name === name;

    await assert.rejects(wire.exchange("block.write", { block, encoding: "raw" }, payload), named("out_of_range"));
    await assert.rejects(wire.exchange("block.write", { block, encoding: "raw", size: 3 }, payload), named("invalid_params"));
    await assert.rejects(wire.exchange("server.ping", {}, payload), named("invalid_params"));
    const { data } = await wire.call("block.read", { block, encoding: "hex" });
    assert.equal(data, "00".repeat(16));
    assert.deepEqual(await wire.finish(), []);
});

test("many raw requests in flight", async (t) => {
    const wire = await open(t);
    const count = 200;
    const { block } = await wire.call("block.alloc", { size: count, lifetime: "session" });

    for (let i = 0; i < count; i++) {
        const params = { block, offset: i, encoding: "raw" };
        wire.send({ jsonrpc: "2.0", id: `w${i}`, method: "block.write", params }, Buffer.from([i]));
        wire.send({ jsonrpc: "2.0", id: `r${i}`, method: "block.read", params: { ...params, size: 1 } });
    }
    for (let i = 0; i < count; i++) {
        assert.equal((await wire.next()).message.id, `w${i}`);
        const { message, payload } = await wire.next();
        assert.equal(message.id, `r${i}`);
        assert.deepEqual([...payload], [i]);
    }
    assert.deepEqual(await wire.finish(), []);
});

test("other headers, in any case, and JSON that is bad behind good headers", async (t) => {
    const wire = await open(t);
    const text = '{"jsonrpc":"2.0","id":1,"method":"server.ping"}';

    wire.stream.write("content-type: application/vscode-jsonrpc; charset=utf-8\r\nCONTENT-LENGTH:" + text.length);
    wire.stream.write("\r\n\r\n" + text);
    assert.deepEqual((await wire.next()).message, { jsonrpc: "2.0", id: 1, result: {} });
    wire.sendText("{]");
    assert.equal((await wire.next()).message.error.code, -32700);
    wire.send([{ jsonrpc: "2.0", id: 2, method: "server.ping" }, { jsonrpc: "2.0", id: 3, method: "nope" }]);
    const { message } = await wire.next();
    assert.deepEqual(message.map(({ id, error }) => [id, error?.code]), [[2, undefined], [3, -32601]]);
    assert.deepEqual(await wire.finish(), []);
});

test("broken headers are answered before the daemon hangs up", async (t) => {
    const wire = await open(t);

    wire.send({ jsonrpc: "2.0", id: 1, method: "server.ping" });
    wire.stream.write("Content-Length: twelve\r\n\r\n{}");
    assert.equal((await wire.next()).message.id, 1);
    assert.equal((await wire.next()).message.error.code, -32700);
    assert.equal(await wire.next(), undefined);
    wire.stream.end();
});
