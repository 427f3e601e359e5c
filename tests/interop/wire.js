// The protocol in plain Node, over any stream: what protocol.md says, and nothing of ours. Both framings, raw payloads,
// batches, and messages that are wrong on purpose.
"use strict";

const NOTHING = Buffer.alloc(0);

// A framing turns a message into bytes, and bytes into {text, payload, used} or, while some are missing, null.
const lines = {
    encode: (text) => Buffer.from(text + "\n"),
    decode(bytes) {
        const end = bytes.indexOf("\n");
        return end < 0 ? null : { text: bytes.toString("utf8", 0, end), payload: NOTHING, used: end + 1 };
    },
};

function lengthOf(header, name) {
    const found = header.match(new RegExp(`^${name}: *([0-9]+)$`, "im"));
    return found ? Number(found[1]) : 0;
}

const headers = {
    encode(text, payload = NOTHING) {
        const json = Buffer.from(text);
        const more = payload.length > 0 ? `Payload-Length: ${payload.length}\r\n` : "";
        return Buffer.concat([Buffer.from(`Content-Length: ${json.length}\r\n${more}\r\n`), json, payload]);
    },
    decode(bytes) {
        const end = bytes.indexOf("\r\n\r\n");
        if (end < 0) return null;
        const header = bytes.toString("latin1", 0, end).replaceAll("\r\n", "\n");
        const json = end + 4;
        const payload = json + lengthOf(header, "Content-Length");
        const used = payload + lengthOf(header, "Payload-Length");
        if (bytes.length < used) return null;
        return { text: bytes.toString("utf8", json, payload), payload: bytes.subarray(payload, used), used };
    },
};

// What the daemon answered with instead of a result.
class Refused extends Error {
    constructor({ code, message, data }) {
        super(message);
        Object.assign(this, { code, data });
    }
}

// One connection. What arrives is taken in the order of its arrival; `next` waits for it.
class Wire {
    constructor(stream, framing) {
        this.stream = stream;
        this.framing = framing;
        this.lastId = 0;
        this.arrived = this.receive();
    }

    async *receive() {
        let bytes = NOTHING;
        for await (const chunk of this.stream) {
            bytes = bytes.length > 0 ? Buffer.concat([bytes, chunk]) : chunk;
            for (let found = this.framing.decode(bytes); found; found = this.framing.decode(bytes)) {
                bytes = bytes.subarray(found.used);
                yield { message: JSON.parse(found.text), payload: found.payload };
            }
        }
        if (bytes.length > 0) throw new Error(`the stream ended within a message: ${bytes}`);
    }

    // Any text: it need not be a message, or even JSON.
    sendText(text, payload) {
        this.stream.write(this.framing.encode(text, payload));
    }

    send(message, payload) {
        this.sendText(JSON.stringify(message), payload);
    }

    // {message, payload}, or undefined at the end of the stream.
    async next() {
        return (await this.arrived.next()).value;
    }

    // One request and its answer: {result, payload}.
    async exchange(method, params, payload) {
        const id = ++this.lastId;
        this.send({ jsonrpc: "2.0", id, method, params }, payload);
        const answer = await this.next();
        if (!answer) throw new Error(`${method}: the daemon hung up`);
        if (answer.message.id !== id) throw new Error(`${method}: not its answer: ${JSON.stringify(answer.message)}`);
        if (answer.message.error) throw new Refused(answer.message.error);
        return { result: answer.message.result, payload: answer.payload };
    }

    async call(method, params) {
        return (await this.exchange(method, params)).result;
    }

    // Ends our side and reads on to the daemon's end: the messages that were still on their way.
    async finish() {
        const rest = [];
        this.stream.end();
        for (let answer = await this.next(); answer; answer = await this.next()) rest.push(answer.message);
        return rest;
    }
}

module.exports = { Wire, lines, headers };
