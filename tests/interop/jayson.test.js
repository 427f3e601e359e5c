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

    // Windows does not promise that the daemon sees the end of one pipe before what comes on the next.
    let refusal;
    for (let tries = 0; tries < 1000 && !refusal; tries++) {
        refusal = await call("block.info", { block: brief }).then(() => undefined, (error) => error);
    }
    assert.equal(refusal?.code, -32002);
    const { orphaned, holders } = await call("block.info", { block: lasting });
    assert.deepEqual({ orphaned, holders }, { orphaned: true, holders: 0 });
    await call("block.free", { block: lasting, if_orphaned: true });
});
