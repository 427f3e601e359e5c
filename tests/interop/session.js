// The session that every one of Node's clients goes through: what a program does with umemd, from the heap's creation
// to its destruction, and what it is told when it goes wrong.
"use strict";

const assert = require("node:assert/strict");

// `call(method, params)` is the client under test: it resolves to the result, or rejects with an error that has the
// `code` and `data` that the daemon sent. Nothing is left in the daemon. Each call may come over a connection of its own,
// so nothing here is of lifetime "session".
async function wholeSession(call) {
    const before = await call("server.stats", {});
    const { heap } = await call("heap.create", { maximum_size: 16 * MEBIBYTE });

    await bytesAndNumbers(call, heap);
    await manyBytes(call, heap);
    await errors(call, heap);

    const left = await call("heap.info", { heap });
    assert.deepEqual(await call("heap.destroy", { heap }), { blocks: left.blocks, bytes: left.bytes });
    await refused(call, "heap.info", { heap }, -32002, "stale_handle");
    const after = await call("server.stats", {});
    assert.equal(after.blocks, before.blocks);
    assert.equal(after.bytes, before.bytes);
}

const MEBIBYTE = 1 << 20;

async function refused(call, method, params, code, name, facts = {}) {
    await assert.rejects(call(method, params), (error) => {
        assert.equal(error.code, code, error.message);
        assert.equal(error.data.name, name);
        for (const [key, value] of Object.entries(facts)) assert.equal(error.data[key], value, key);
        return true;
    });
}

async function bytesAndNumbers(call, heap) {
    const { block, size } = await call("block.alloc", { size: 24, heap });
    assert.equal(size, 24);
    assert.equal((await call("block.read", { block, encoding: "hex" })).data, "00".repeat(24));

    // Bytes and characters differ in number here: a client or daemon that counts the wrong ones loses its place.
    const text = "größer: 🦊";
    const written = await call("block.write", { block, data: text, encoding: "utf8" });
    assert.equal(written.size, Buffer.byteLength(text));
    assert.equal((await call("block.read", { block, size: written.size, encoding: "utf8" })).data, text);

    // By position; null is as if left out.
    const read = await call("block.read", [block, null, 4]);
    assert.deepEqual(read, { size: 4, data: Buffer.from(text).subarray(0, 4).toString("base64") });

    const whole = [-1, Number.MAX_SAFE_INTEGER, "-9223372036854775808"];
    await call("block.set", { block, offset: 0, type: "i64", values: whole });
    assert.deepEqual((await call("block.get", { block, offset: 0, type: "i64", count: 3 })).values, whole);
    const real = [0.1, "NaN", "-Infinity"];
    await call("block.set", { block, offset: 0, type: "f64", values: real });
    assert.deepEqual((await call("block.get", { block, offset: 0, type: "f64", count: 3 })).values, real);

    const { block: copy } = await call("block.alloc", { size: 24, heap });
    await call("block.copy", { source: block, target: copy });
    assert.deepEqual(await call("block.read", { block: copy }), await call("block.read", { block }));
    assert.equal((await call("block.info", { block: copy })).heap, heap);
    assert.deepEqual(await call("block.free", { block }), { size: 24 });
    // The copy stays: destroying the heap frees it.
}

// A message of several megabytes each way, in base64.
async function manyBytes(call, heap) {
    const bytes = Buffer.alloc(4 * MEBIBYTE);
    for (let i = 0; i < bytes.length; i++) bytes[i] = (i * 31 + (i >> 12)) & 0xff;
    const { block } = await call("block.alloc", { size: bytes.length, heap });
    assert.equal((await call("block.write", { block, data: bytes.toString("base64") })).size, bytes.length);
    const read = await call("block.read", { block });
    assert.ok(Buffer.from(read.data, "base64").equals(bytes));
    await call("block.free", { block });
}

async function errors(call, heap) {
    const { block } = await call("block.alloc", { size: 8, heap });

    await refused(call, "block.read", { block, offset: 6, size: 4 }, -32003, "out_of_range", {
        block,
        offset: 6,
        size: 4,
        block_size: 8,
    });
    await refused(call, "block.alloc", { size: 32 * MEBIBYTE, heap }, -32004, "no_memory", { heap });
    await refused(call, "block.read", { block: heap }, -32001, "unknown_handle");
    await refused(call, "block.read", { block, ofset: 1 }, -32602, "invalid_params", { param: "ofset" });
    await refused(call, "block.read", {}, -32602, "invalid_params", { param: "block" });
    await refused(call, "block.frobnicate", { block }, -32601, "method_not_found");
    await call("block.free", { block });
    await refused(call, "block.free", { block }, -32002, "stale_handle");
    await refused(call, "heap.destroy", { heap: "process" }, -32008, "denied");
}

module.exports = { wholeSession, refused };
