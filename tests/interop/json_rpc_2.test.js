// json-rpc-2.0: a client that leaves the transport to its user, here one JSON text a line, all on one connection. The
// transport is the ten lines that anybody writes who uses it so.
"use strict";

const assert = require("node:assert/strict");
const { once } = require("node:events");
const readline = require("node:readline");
const { test } = require("node:test");
const { JSONRPCClient } = require("json-rpc-2.0");

const { connect } = require("./connection.js");
const { wholeSession } = require("./session.js");

async function open(t) {
    const stream = await connect(t);
    const client = new JSONRPCClient((request) => {
        stream.write(JSON.stringify(request) + "\n");
    });
    const input = readline.createInterface({ input: stream });
    input.on("line", (line) => client.receive(JSON.parse(line)));
    const close = async () => {
        stream.end();
        await once(input, "close");
    };
    return { client, close };
}

test("a whole session", async (t) => {
    const { client, close } = await open(t);
    await wholeSession((method, params) => client.request(method, params));
    await close();
});

test("a thousand requests in flight", async (t) => {
    const { client, close } = await open(t);
    const { block } = await client.request("block.alloc", { size: 8, lifetime: "session" });
    const order = [];
    const requests = Array.from({ length: 1000 }, (_, i) =>
        client.request("block.set", { block, offset: 0, type: "i64", values: [i] }).then(() => order.push(i)),
    );

    await Promise.all(requests);
    assert.deepEqual(order, Array.from({ length: 1000 }, (_, i) => i));
    assert.deepEqual((await client.request("block.get", [block, 0, "i64"])).values, [999]);
    await close();
});

test("a batch and a notification", async (t) => {
    const { client, close } = await open(t);
    const { block } = await client.request("block.alloc", { size: 1, lifetime: "session" });

    client.notify("block.set", { block, offset: 0, values: [5] });
    const answers = await client.requestAdvanced([
        { jsonrpc: "2.0", id: "one", method: "block.get", params: { block, offset: 0 } },
        { jsonrpc: "2.0", id: "two", method: "block.get", params: { block, offset: 1 } },
    ]);
    assert.deepEqual(answers[0], { jsonrpc: "2.0", id: "one", result: { values: [5] } });
    assert.equal(answers[1].error.code, -32003);
    assert.equal(answers[1].error.data.name, "out_of_range");
    await close();
});
