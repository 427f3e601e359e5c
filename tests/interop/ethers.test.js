// ethers' IpcSocketProvider: JSON texts on lines.
"use strict";

const assert = require("node:assert/strict");
const { test } = require("node:test");
const { IpcSocketProvider } = require("ethers");

const { wholeSession } = require("./session.js");

test("a whole session", async (t) => {
    // With a network that is known it asks for none.
    const provider = new IpcSocketProvider(process.env.UMEM_PIPE, 1, { staticNetwork: true });
    t.after(() => provider.destroy());
    const call = async (method, params) => {
        try {
            return await provider.send(method, params);
        } catch (error) {
            // What the daemon said is within.
            throw error.info?.error ?? error.error ?? error;
        }
    };
    await wholeSession(call);
    const answers = await Promise.all(Array.from({ length: 100 }, () => call("server.ping", {})));
    assert.deepEqual(answers, Array.from({ length: 100 }, () => ({})));
});
