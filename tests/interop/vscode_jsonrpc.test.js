// vscode-jsonrpc: the client of language servers' editors, on headers.
"use strict";

const assert = require("node:assert/strict");
const { test } = require("node:test");
const rpc = require("vscode-jsonrpc/node");

const { connect } = require("./connection.js");
const { wholeSession, refused } = require("./session.js");

// A connection that fails the test on whatever it cannot understand.
async function open(t) {
    const stream = await connect(t);
    const connection = rpc.createMessageConnection(
        new rpc.StreamMessageReader(stream),
        new rpc.StreamMessageWriter(stream),
    );
    const faults = [];
    connection.onError(([error]) => faults.push(error));
    connection.onUnhandledNotification((message) => faults.push(message));
    connection.listen();
    t.after(() => {
        connection.dispose();
        assert.deepEqual(faults, []);
    });
    return connection;
}

function caller(connection) {
    return (method, params) => connection.sendRequest(method, rpc.ParameterStructures.auto, params);
}

test("a whole session", async (t) => {
    const connection = await open(t);
    await wholeSession((method, params) =>
        Array.isArray(params)
            ? connection.sendRequest(method, rpc.ParameterStructures.byPosition, ...params)
            : connection.sendRequest(method, params),
    );
});

test("a thousand requests in flight", async (t) => {
    const connection = await open(t);
    const { block } = await connection.sendRequest("block.alloc", { size: 1000, lifetime: "session" });
    const offsets = Array.from({ length: 1000 }, (_, offset) => offset);
    const at = (offset) => ({ block, offset });

    await Promise.all(offsets.map((o) => connection.sendRequest("block.set", { ...at(o), values: [o % 251] })));
    const answers = await Promise.all(offsets.map((o) => connection.sendRequest("block.get", at(o))));
    assert.deepEqual(answers.map((answer) => answer.values[0]), offsets.map((o) => o % 251));
});

test("notifications are done and never answered", async (t) => {
    const connection = await open(t);
    const { block } = await connection.sendRequest("block.alloc", { size: 1, lifetime: "session" });

    await connection.sendNotification("block.set", { block, offset: 0, values: [9] });
    await connection.sendNotification("block.set", { block, offset: 5, values: [9] });
    assert.deepEqual((await connection.sendRequest("block.get", { block, offset: 0 })).values, [9]);
});

test("errors are ResponseErrors with code, message and data", async (t) => {
    const connection = await open(t);
    const call = caller(connection);

    await refused(call, "block.free", { block: "no-such-block" }, -32001, "unknown_handle");
    await assert.rejects(call("block.free", { block: "no-such-block" }), (error) => {
        assert.ok(error instanceof rpc.ResponseError);
        assert.match(error.message, /no-such-block/);
        return true;
    });
});

test("taking back a request that is done already harms nothing", async (t) => {
    const connection = await open(t);
    const taken = new rpc.CancellationTokenSource();
    const answer = connection.sendRequest("server.ping", {}, taken.token);

    taken.cancel();
    assert.deepEqual(await answer, {});
    assert.deepEqual(await connection.sendRequest("server.ping"), {});
});

test("taking back a request that waits ends it as cancelled", async (t) => {
    const connection = await open(t);
    const { features } = await connection.sendRequest("server.info");
    if (!features.includes("wait")) return t.skip("this daemon has no block.wait");

    const { block } = await connection.sendRequest("block.alloc", { size: 8, lifetime: "session" });
    const taken = new rpc.CancellationTokenSource();
    const wait = connection.sendRequest("block.wait", { block, offset: 0, value: 0 }, taken.token);
    // It is waiting when a later request is answered; that one is not held up by it.
    await connection.sendRequest("server.ping");
    taken.cancel();
    await assert.rejects(wait, { code: -32800 });
    await connection.sendRequest("server.ping");
});

test("notifications of a watch arrive as the client's own notifications", async (t) => {
    const connection = await open(t);
    const { features } = await connection.sendRequest("server.info");
    if (!features.includes("watch")) return t.skip("this daemon has no session.watch");

    const { block } = await connection.sendRequest("block.alloc", { size: 8, lifetime: "session" });
    const { watch } = await connection.sendRequest("session.watch", { block });
    const changed = new Promise((resolve) => connection.onNotification("block.changed", resolve));
    const freed = new Promise((resolve) => connection.onNotification("block.freed", resolve));
    await connection.sendRequest("block.set", { block, offset: 3, values: [1, 2] });
    assert.deepEqual(await changed, { watch, block, offset: 3, size: 2 });
    await connection.sendRequest("block.free", { block });
    assert.deepEqual(await freed, { watch, block });
    await connection.sendRequest("session.unwatch", { watch });
});
