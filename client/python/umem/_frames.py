"""Messages with headers, from bytes and to bytes. No I/O: a transport asks where to put bytes, and says how many came.

Nothing is allocated from a declared length: memory grows with what has arrived.
"""
from __future__ import annotations

import json
import re
from typing import Any, Callable, Optional, Tuple, Union

from ._errors import BadAnswer

Bytes = Union[bytes, bytearray, memoryview]
Message = Tuple[Any, Optional[Bytes]]

CAPACITY = 65536  # bytes of the buffer at first, and what it shrinks to again
HEADERS_LIMIT = 128  # bytes that the daemon's two headers take at most, and a few more

_BEGINNING = b"Content-Length: "
_HEADERS = re.compile(rb"Content-Length: (\d{1,15})\r\n(?:Payload-Length: (\d{1,15})\r\n)?\r\n")
_INCOMPLETE = re.compile(rb"Content-Length: \d{0,15}(?:\r(?:\n(?:\r|P[ -~]*\r?\n?\r?)?)?)?\Z")
_decode = json.JSONDecoder().raw_decode


def encode(text: str, payload_size: int) -> bytes:
    """The headers and the JSON of a message; the payload follows it. UnicodeEncodeError: it has half of a surrogate pair."""
    body = text.encode("utf-8")
    if payload_size:
        return b"Content-Length: %d\r\nPayload-Length: %d\r\n\r\n%b" % (len(body), payload_size, body)
    return b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


class Parser:
    """Finds messages in the bytes that arrive.

    place(json, size) may return writable memory of that size for a message's payload; with None it is collected here.
    """

    def __init__(self, place: Callable[[Any, int], Optional[memoryview]]) -> None:
        self._place = place
        self._buffer = bytearray(CAPACITY)
        self._view = memoryview(self._buffer)
        self._start = 0  # what has not been read yet lies from here
        self._end = 0  # to here
        self._wanted = 1  # bytes that the next message has at least
        self._message: Any = None  # the JSON of a message whose payload is not whole
        self._payload_size = 0  # of that payload; 0: there is none
        self._target: Optional[memoryview] = None  # where that payload goes
        self._filled = 0  # how much of it is there

    # ---- bytes in ----

    def space(self) -> memoryview:
        """Where the next bytes go; never empty."""
        if self._target is not None and self._start == self._end:
            if self._filled == len(self._target):
                self._grow_target()
            return self._target[self._filled :]
        if self._end == len(self._buffer):
            self._make_space()
        return self._view[self._end :]

    def received(self, size: int) -> None:
        if self._target is not None and self._start == self._end:
            self._filled += size
        else:
            self._end += size

    def _make_space(self) -> None:
        unread = bytes(self._view[self._start : self._end])
        capacity = len(self._buffer)
        if len(unread) > capacity // 2:
            capacity *= 2
        self._renew(capacity, unread)

    def _renew(self, capacity: int, unread: bytes) -> None:
        self._buffer = bytearray(capacity)
        self._view = memoryview(self._buffer)
        self._view[: len(unread)] = unread
        self._start = 0
        self._end = len(unread)

    def _grow_target(self) -> None:
        assert self._target is not None
        larger = memoryview(bytearray(min(self._payload_size, 2 * len(self._target))))
        larger[: self._filled] = self._target
        self._target = larger

    # ---- messages out ----

    def next(self) -> Optional[Message]:
        """The next whole message, or None. BadAnswer: no later one can be found."""
        if self._payload_size:
            return self._next_with_payload()
        if self._end - self._start < self._wanted:
            return None
        headers = _HEADERS.match(self._buffer, self._start, self._end)
        if headers is None:
            self._check_beginning()
            return None
        begin = headers.end()
        size = int(headers[1])
        if self._end - begin < size:
            self._wanted = begin - self._start + size
            return None
        self._wanted = 1
        end = begin + size
        try:
            text = str(self._view[begin:end], "utf-8")
            message, length = _decode(text)
        except (ValueError, RecursionError) as error:
            raise BadAnswer(f"an answer is not JSON: {error}") from None
        if length != len(text):
            raise BadAnswer("there is more than JSON in an answer")
        payload_size = int(headers[2] or 0)
        if payload_size == 0:
            self._take(end)
            return message, None
        target = self._place(message, payload_size)
        if target is None and self._end - end >= payload_size:
            payload = bytes(self._view[end : end + payload_size])
            self._take(end + payload_size)
            return message, payload
        self._take(end)
        self._begin_payload(message, payload_size, target)
        return self._next_with_payload()

    def _check_beginning(self) -> None:
        unread = bytes(self._view[self._start : min(self._end, self._start + HEADERS_LIMIT)])
        is_begun = _BEGINNING.startswith(unread) or _INCOMPLETE.match(unread)
        if not is_begun or len(unread) == HEADERS_LIMIT:
            raise BadAnswer(f"an answer does not begin with its headers: {unread[:40]!r}")
        self._wanted = len(unread) + 1

    def _take(self, end: int) -> None:
        if end == self._end:
            self._start = self._end = 0
            if len(self._buffer) > 16 * CAPACITY:
                self._renew(CAPACITY, b"")
        else:
            self._start = end

    def _begin_payload(self, message: Any, size: int, target: Optional[memoryview]) -> None:
        self._message = message
        self._payload_size = size
        self._filled = 0
        self._target = target if target is not None else memoryview(bytearray(min(size, CAPACITY)))

    def _next_with_payload(self) -> Optional[Message]:
        assert self._target is not None
        while self._start != self._end and self._filled < self._payload_size:
            if self._filled == len(self._target):
                self._grow_target()
            size = min(self._end - self._start, len(self._target) - self._filled)
            self._target[self._filled : self._filled + size] = self._view[self._start : self._start + size]
            self._filled += size
            self._take(self._start + size)
        if self._filled < self._payload_size:
            return None
        done: Message = self._message, self._target
        self._message = self._target = None
        self._payload_size = 0
        return done
