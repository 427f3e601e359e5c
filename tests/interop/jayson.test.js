// jayson: a client that brings its own transport: a connection for each request, closed when the answer is there, and
// ids that are random strings.
"use strict";

const assert = require("node:assert/strict");
const { test } = require("node:test");
const jayson = require("jayson/promise");

const { wholeSession } = require("./session.js");

const client = jayson.Client.tcp({ path: process.env.UMEM_PIPE });

async function call(method, params) {
    const answer = await client.request(method, params);
    if (answer.error) throw Object.assign(new Error(answer.error.message), answer.error);
    return answer.result;
}

test("a whole session", async () => {
    await wholeSession(call);
});

test("a hundred connections at once", async () => {
    const calls = Array.from({ length: 100 }, () => call("server.ping", {}));
    assert.deepEqual(await Promise.all(calls), Array.from({ length: 100 }, () => ({})));
});

test("a batch", async () => {
    const answers = await client.request([
        client.request("block.alloc", { size: 4, name: "of a batch" }, undefined, false),
        client.request("block.free", ["of a batch"], undefined, false),
        client.request("block.free", ["of a batch"], undefined, false),
    ]);
    assert.deepEqual(answers.map((answer) => answer.error?.data.name), [undefined, undefined, "unknown_handle"]);
});

test("what one connection made with lifetime session is gone with it, the rest stays", async () => {
    const { block: brief } = await call("block.alloc", { size: 4, lifetime: "session" });
    const { block: lasting } = await call("block.alloc", { size: 4 });

    // The daemon may see the end of one connection after what comes on the next: on Windows often. The wait ends when the block goes;
    // that the other one has no holder any more is not reported to a connection that made no watch.
    const wait = { block: brief, offset: 0, type: "u8", value: 0, timeout_ms: 60000 };
    const refusal = await call("block.wait", wait).then(() => undefined, (error) => error);
    assert.equal(refusal?.code, -32002);
    let info;
    for (let tries = 0; tries < 10000 && !info?.orphaned; tries++) info = await call("block.info", { block: lasting });
    assert.deepEqual({ orphaned: info.orphaned, holders: info.holders }, { orphaned: true, holders: 0 });
    await call("block.free", { block: lasting, if_orphaned: true });
});
