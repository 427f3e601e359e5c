"""python-lsp-jsonrpc: what Python's language server speaks, on headers. The daemon's pipe is in UMEM_PIPE, or the command that
carries to it in UMEM_CARRIER."""
import base64
import itertools
import json
import os
import socket
import subprocess
import threading
import unittest

from pylsp_jsonrpc.endpoint import Endpoint
from pylsp_jsonrpc.exceptions import JsonRpcException
from pylsp_jsonrpc.streams import JsonRpcStreamReader, JsonRpcStreamWriter

MINUTE = 60


def connect():
    """(to read, to write, to close)"""
    carrier = os.environ.get("UMEM_CARRIER")
    if carrier:
        process = subprocess.Popen(json.loads(carrier), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        return process.stdout, process.stdin, process.wait
    pipe = socket.socket(socket.AF_UNIX)
    pipe.connect(os.environ["UMEM_PIPE"])
    return pipe.makefile("rb"), pipe.makefile("wb"), lambda: pipe.shutdown(socket.SHUT_WR)


class Session(unittest.TestCase):
    def setUp(self):
        reading, writing, self.close = connect()
        self.heard = []
        self.numbers = itertools.count(1)
        self.reader = JsonRpcStreamReader(reading)
        self.writer = JsonRpcStreamWriter(writing)
        dispatcher = {"block.changed": self.heard.append, "block.freed": self.heard.append}
        # Its own ids are UUIDs; a test that cancels has to know them.
        self.endpoint = Endpoint(dispatcher, self.writer.write, id_generator=lambda: f"request {next(self.numbers)}")
        self.thread = threading.Thread(target=self.reader.listen, args=(self.endpoint.consume,))
        self.thread.start()

    def tearDown(self):
        self.endpoint.shutdown()
        self.writer.close()
        self.close()
        self.thread.join()
        self.reader.close()

    def call(self, method, params=None):
        return self.endpoint.request(method, params).result(timeout=MINUTE)

    def refused(self, code, name, method, params):
        with self.assertRaises(JsonRpcException) as caught:
            self.call(method, params)
        self.assertEqual((caught.exception.code, caught.exception.data["name"]), (code, name))

    def test_session(self):
        self.assertEqual(self.call("server.ping"), {})
        block = self.call("block.alloc", {"size": 8, "lifetime": "session"})["block"]
        data = base64.b64encode(b"umem").decode()
        self.assertEqual(self.call("block.write", {"block": block, "data": data, "offset": 2}), {"size": 4})
        self.assertEqual(base64.b64decode(self.call("block.read", [block])["data"]), b"\0\0umem\0\0")
        self.refused(-32003, "out_of_range", "block.read", {"block": block, "offset": 6, "size": 4})
        self.refused(-32601, "method_not_found", "block.frobnicate", {})

        # Neither is answered; the second one is refused in silence.
        self.endpoint.notify("block.set", {"block": block, "offset": 0, "values": [7]})
        self.endpoint.notify("block.set", {"block": block, "offset": 8, "values": [7]})
        self.assertEqual(self.call("block.get", {"block": block, "offset": 0})["values"], [7])

        watch = self.call("session.watch", {"block": block})["watch"]
        self.call("block.set", {"block": block, "offset": 1, "values": [1, 2]})
        self.call("block.free", {"block": block})
        self.refused(-32002, "stale_handle", "block.free", {"block": block})
        self.assertEqual(self.heard, [
            {"watch": watch, "block": block, "offset": 1, "size": 2},
            {"watch": watch, "block": block},
        ])

    def test_a_wait_is_cancelled(self):
        block = self.call("block.alloc", {"size": 8, "lifetime": "session"})["block"]
        waiting = self.endpoint.request("block.wait", {"block": block, "offset": 0, "value": 0})
        self.assertEqual(self.call("server.ping"), {})
        # Not by waiting.cancel(), whose answer kills the reader's thread under Python 3.8 and later.
        self.endpoint.notify("$/cancelRequest", {"id": "request 2"})
        with self.assertRaises(JsonRpcException) as caught:
            waiting.result(timeout=MINUTE)
        self.assertEqual(caught.exception.code, -32800)


if __name__ == "__main__":
    unittest.main()
