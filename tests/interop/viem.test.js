// viem's IPC transport: JSON texts with nothing between them.
"use strict";

const assert = require("node:assert/strict");
const { test } = require("node:test");
const { createClient, RpcRequestError } = require("viem");
const { ipc } = require("viem/node");

const { wholeSession } = require("./session.js");

const client = createClient({ transport: ipc(process.env.UMEM_PIPE, { retryCount: 0 }) });

// viem gives error codes the meaning that they have for Ethereum (-32003 is "transaction rejected"); what the daemon said is
// the error within.
async function call(method, params) {
    try {
        return await client.request({ method, params });
    } catch (error) {
        const { code, data, details } = error.walk((inner) => inner instanceof RpcRequestError);
        throw Object.assign(new Error(details), { code, data });
    }
}

test("a whole session", async (t) => {
    t.after(async () => (await client.transport.getRpcClient()).close());
    await wholeSession(call);
    // Many under way, which viem would take for one if they were asked in the same words.
    const answers = await Promise.all(Array.from({ length: 100 }, (_, i) => call("server.ping", [])));
    assert.deepEqual(answers, Array.from({ length: 100 }, () => ({})));
});
