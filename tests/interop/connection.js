// A stream to the daemon for Node's clients: the pipe itself, or, where UMEM_CARRIER names a command, that command's
// standard input and output. The clients do not know which.
"use strict";

const { spawn } = require("node:child_process");
const net = require("node:net");
const { Duplex } = require("node:stream");

function overCarrier(words) {
    const carrier = spawn(words[0], words.slice(1), { stdio: ["pipe", "pipe", "inherit"] });
    // Not Duplex.from(), which fails where the input's end is closed first: the command may end by itself when the daemon hangs up,
    // and what it wrote last is still to be read.
    const stream = new Duplex({
        read: () => carrier.stdout.resume(),
        write: (chunk, encoding, done) => carrier.stdin.write(chunk, encoding, () => done()),
        final: (done) => carrier.stdin.end(() => done()),
        destroy: (error, done) => {
            carrier.stdin.destroy();
            carrier.stdout.destroy();
            done(error);
        },
    });
    carrier.stdin.on("error", () => {});
    carrier.stdout.on("data", (chunk) => stream.push(chunk) || carrier.stdout.pause());
    carrier.stdout.once("end", () => stream.push(null));
    carrier.once("error", (error) => stream.destroy(error));
    carrier.once("exit", (code) => {
        if (code !== 0) stream.destroy(new Error(`${words.join(" ")} ended with ${code}`));
    });
    return stream;
}

// allowHalfOpen: ending the stream ends what we send; what the daemon still has to say arrives.
function open() {
    if (process.env.UMEM_CARRIER) return Promise.resolve(overCarrier(JSON.parse(process.env.UMEM_CARRIER)));
    return new Promise((resolve, reject) => {
        const socket = net.connect({ path: process.env.UMEM_PIPE, allowHalfOpen: true });
        socket.once("connect", () => resolve(socket));
        socket.once("error", reject);
    });
}

// For the test `t`, which may fail at any place: a stream left open would keep the program from ending.
async function connect(t) {
    const stream = await open();
    t.after(() => stream.destroy());
    return stream;
}

module.exports = { connect, open };
