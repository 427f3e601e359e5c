"""Plain Python: json and socket and nothing else, on lines and on headers with raw payloads. The daemon's pipe is in
UMEM_PIPE."""
import base64
import json
import os
import socket
import unittest

MEBIBYTE = 1 << 20


class Refused(Exception):
    """The error that the daemon answered with."""

    def __init__(self, error):
        super().__init__(error["message"])
        self.code = error["code"]
        self.data = error["data"]


class Client:
    """What both framings share: numbered requests, each answered before the next."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(os.environ["UMEM_PIPE"])
        self.stream = self.socket.makefile("rwb")
        self.last_id = 0

    def call(self, method, *positional, payload=b"", **named):
        self.last_id += 1
        request = {"jsonrpc": "2.0", "id": self.last_id, "method": method, "params": positional or named}
        self.send(json.dumps(request).encode(), payload)
        answer, self.payload = self.receive()
        assert answer["jsonrpc"] == "2.0" and answer["id"] == self.last_id, answer
        if "error" in answer:
            raise Refused(answer["error"])
        return answer["result"]

    def finish(self):
        """Ends our side; returns what still arrives before the daemon ends its own."""
        self.stream.flush()
        self.socket.shutdown(socket.SHUT_WR)
        rest = self.stream.read()
        self.stream.close()
        self.socket.close()
        return rest


class LineClient(Client):
    def send(self, text, payload=b""):
        assert not payload
        self.stream.write(text + b"\n")
        self.stream.flush()

    def receive(self):
        return json.loads(self.stream.readline()), b""


class HeaderClient(Client):
    def send(self, text, payload=b""):
        self.stream.write(b"Content-Length: %d\r\n" % len(text))
        if payload:
            self.stream.write(b"Payload-Length: %d\r\n" % len(payload))
        self.stream.write(b"\r\n" + text + payload)
        self.stream.flush()

    def receive(self):
        lengths = {b"content-length": 0, b"payload-length": 0}
        while (line := self.stream.readline()) != b"\r\n":
            name, _, value = line.partition(b":")
            lengths[name.lower()] = int(value)
        answer = json.loads(self.stream.read(lengths[b"content-length"]))
        return answer, self.stream.read(lengths[b"payload-length"])


class Session:
    """What is tried on both framings."""

    def setUp(self):
        self.client = self.framing()

    def tearDown(self):
        self.assertEqual(self.client.finish(), b"")

    def refused(self, code, name, method, *positional, **named):
        with self.assertRaises(Refused) as caught:
            self.client.call(method, *positional, **named)
        self.assertEqual((caught.exception.code, caught.exception.data["name"]), (code, name))
        return caught.exception.data

    def test_whole_session(self):
        call = self.client.call
        self.assertEqual(call("server.info")["name"], "umemd")
        heap = call("heap.create", maximum_size=8 * MEBIBYTE)["heap"]
        block = call("block.alloc", size=16, heap=heap)["block"]

        text = "größer: 🦊"
        size = call("block.write", block=block, data=text, encoding="utf8")["size"]
        self.assertEqual(size, len(text.encode()))
        self.assertEqual(call("block.read", block=block, size=size, encoding="utf8")["data"], text)
        values = [-(2**53 - 1), str(2**63 - 1)]
        self.assertEqual(call("block.set", block, 0, values, "i64"), {"size": 16})
        self.assertEqual(call("block.get", block, 0, "i64", 2)["values"], values)

        facts = self.refused(-32003, "out_of_range", "block.read", block=block, offset=10, size=7)
        self.assertEqual((facts["offset"], facts["size"], facts["block_size"]), (10, 7, 16))
        self.refused(-32004, "no_memory", "block.alloc", size=9 * MEBIBYTE, heap=heap)
        self.refused(-32602, "invalid_params", "block.alloc", size=True)
        self.refused(-32601, "method_not_found", "block.frobnicate")

        self.assertEqual(call("block.free", block=block), {"size": 16})
        self.refused(-32002, "stale_handle", "block.free", block=block)
        self.assertEqual(call("heap.destroy", heap), {"blocks": 0, "bytes": 0})

    def test_megabytes_in_base64(self):
        data = os.urandom(5 * MEBIBYTE)
        block = self.client.call("block.alloc", size=len(data), lifetime="session")["block"]
        self.client.call("block.write", block=block, data=base64.b64encode(data).decode())
        read = self.client.call("block.read", block=block)
        self.assertEqual(base64.b64decode(read["data"]), data)

    def test_batch(self):
        block = self.client.call("block.alloc", size=2, lifetime="session")["block"]
        batch = [
            {"jsonrpc": "2.0", "id": 1, "method": "block.set", "params": [block, 0, [1, 2]]},
            {"jsonrpc": "2.0", "id": 2, "method": "block.set", "params": [block, 1, [3, 4]]},
            {"jsonrpc": "2.0", "method": "block.set", "params": [block, 1, [5]]},
            {"jsonrpc": "2.0", "id": 3, "method": "block.get", "params": [block, 0, "u8", 2]},
        ]
        self.client.send(json.dumps(batch).encode())
        answers, _ = self.client.receive()
        self.assertEqual([answer["id"] for answer in answers], [1, 2, 3])
        self.assertEqual(answers[1]["error"]["data"]["name"], "out_of_range")
        self.assertEqual(answers[2]["result"]["values"], [1, 5])


class OnLines(Session, unittest.TestCase):
    framing = LineClient

    def test_raw_needs_headers(self):
        block = self.client.call("block.alloc", size=1, lifetime="session")["block"]
        self.refused(-32009, "unsupported", "block.read", block=block, encoding="raw")


class OnHeaders(Session, unittest.TestCase):
    framing = HeaderClient

    def test_raw_payloads(self):
        data = os.urandom(16 * MEBIBYTE + 1)
        block = self.client.call("block.alloc", size=len(data), lifetime="session")["block"]
        written = self.client.call("block.write", block=block, encoding="raw", payload=data)
        self.assertEqual(written, {"size": len(data)})
        self.assertEqual(self.client.call("block.read", block=block, encoding="raw"), {"size": len(data)})
        self.assertEqual(self.client.payload, data)
        self.client.call("block.read", block=block, offset=7, size=9, encoding="raw")
        self.assertEqual(self.client.payload, data[7:16])

    def test_raw_write_that_is_refused(self):
        block = self.client.call("block.alloc", size=4, lifetime="session")["block"]
        self.refused(-32003, "out_of_range", "block.write", block=block, encoding="raw", payload=b"12345")
        self.assertEqual(self.client.call("block.read", block=block, encoding="hex")["data"], "00000000")


if __name__ == "__main__":
    unittest.main()
