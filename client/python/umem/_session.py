"""What both clients share: which answer belongs to which request, and events to their watches. No I/O, no threads.

A client that threads share calls everything here under its own lock.
"""
from __future__ import annotations

import math
from collections import deque
from typing import Any, Callable, Deque, Dict, List, NamedTuple, Optional, Sequence, Set, Tuple

from ._errors import BadAnswer, ConnectionLost, NotConnected, TooLarge, UmemError, again, from_answer
from ._frames import Bytes, Parser, encode
from ._request import Request

SMALL = 65536  # bytes of a message's payload up to which it is copied, which is faster than to pass the pieces
PAUSE = 0.1  # seconds, at most, between two attempts to connect anew
EVENTS = 1024  # events that a watch keeps for a program that does not take them


class Event(NamedTuple):
    """What a watch reports. kind is the notification's name in protocol.md; the others are those that it has, or None."""

    kind: str  # "block.changed", "block.freed", "heap.destroyed" or "watch.overflow": read everything again
    block: Optional[int] = None
    heap: Optional[int] = None
    offset: Optional[int] = None
    size: Optional[int] = None


class Outcome:
    """What has become of one request."""

    __slots__ = ("value", "error")

    def __init__(self) -> None:
        self.value: Any = None
        self.error: Optional[UmemError] = None

    def get(self) -> Any:
        if self.error is not None:
            raise self.error
        return self.value


class Waiter(Outcome):
    """A request that is sent as a message and has not been answered. on_done is called once, when its outcome is known.

    Without a request it waits for something else.
    """

    __slots__ = ("request", "id", "done", "on_done", "was_sent")

    def __init__(self, request: Optional[Request[Any]] = None) -> None:
        self.value = None
        self.error = None
        self.request = request
        self.id = 0  # of the first request
        self.done = False
        self.was_sent = False  # at least a part of it
        self.on_done: Optional[Callable[[Waiter], Any]] = None

    @property
    def requests(self) -> Sequence[Request[Any]]:
        return (self.request,) if self.request is not None else ()

    @property
    def outcomes(self) -> Sequence[Outcome]:
        return (self,)

    def finish(self) -> None:
        self.done = True
        if self.on_done is not None:
            self.on_done(self)

    def fail(self, error: UmemError) -> None:
        for outcome in self.outcomes:
            outcome.error = again(error)
        self.finish()


class BatchWaiter(Waiter):
    """Requests that are sent as one message."""

    __slots__ = ("_requests", "_outcomes")

    def __init__(self, requests: Sequence[Request[Any]]) -> None:
        super().__init__()
        self._requests = requests
        self._outcomes = [Outcome() for _ in requests]

    @property
    def requests(self) -> Sequence[Request[Any]]:
        return self._requests

    @property
    def outcomes(self) -> Sequence[Outcome]:
        return self._outcomes


class EventQueue:
    """The events of one watch that were not taken yet."""

    def __init__(self, watch: int) -> None:
        self.watch = watch
        self.events: Deque[Event] = deque()
        self.listener: Optional[Waiter] = None  # finished by the next event

    def add(self, event: Event) -> None:
        if len(self.events) >= EVENTS:
            self.events.clear()
            event = Event("watch.overflow")
        self.events.append(event)
        self.wake()

    def wake(self) -> None:
        listener, self.listener = self.listener, None
        if listener is not None:
            listener.finish()


class Session:
    def __init__(self) -> None:
        self.failure: Optional[UmemError] = None  # why there is no connection any more
        self.parser = Parser(self._place)
        self.waiting: Dict[int, Waiter] = {}  # by the id of the first request
        self.queues: Dict[int, EventQueue] = {}  # by the watch
        self._withdrawn: Set[int] = set()  # requests whose answers are discarded when they come
        self._filling: Optional[Waiter] = None  # raw bytes go straight to where its request wants them
        self._last_id = 0

    # ---- requests ----

    def begin(self, waiter: Waiter) -> List[Bytes]:
        """Gives the requests their ids; the bytes to send."""
        if self.failure is not None:
            raise unsent(self.failure)
        number = self._last_id + 1
        request = waiter.request
        if request is not None:
            text = f'{{"id":{number},{request.text}}}'
            payloads = [request.payload] if request.payload is not None and len(request.payload) else []
            last = number
        else:
            requests = waiter.requests
            text = ",".join([f'{{"id":{i},{request.text}}}' for i, request in enumerate(requests, number)])
            text = f"[{text}]"
            payloads = [request.payload for request in requests if request.payload is not None and len(request.payload)]
            last = self._last_id + len(requests)
        size = sum(map(len, payloads))
        head = encode(text, size)
        self._last_id = last
        waiter.id = number
        self.waiting[number] = waiter
        if 0 < size <= SMALL:
            return [b"".join((head, *payloads))]
        return [head, *payloads]

    def withdraw(self, waiter: Waiter) -> bool:
        """Nobody waits for the answer any more. Whether the connection must end, since it would do harm.

        A lock that comes later would stay, and the rest of an answer would be written to memory of the caller's.
        """
        if self.waiting.get(waiter.id) is not waiter:
            return False
        del self.waiting[waiter.id]
        if waiter.was_sent:
            self._withdrawn.add(waiter.id)
        return self._filling is waiter or any([request.undo for request in waiter.requests])

    def fail(self, error: UmemError) -> None:
        """Ends everything. Later requests give the same error."""
        if self.failure is not None:
            return
        self.failure = error
        waiting, self.waiting = self.waiting, {}
        for waiter in waiting.values():
            waiter.fail(error)
        for queue in list(self.queues.values()):
            queue.wake()

    # ---- answers ----

    def _waiter_of(self, message: Any) -> Optional[Waiter]:
        first = message[0] if isinstance(message, list) and message else message
        number = first.get("id") if isinstance(first, dict) else None
        return self.waiting.get(number) if isinstance(number, int) else None

    def _place(self, message: Any, size: int) -> Optional[memoryview]:
        waiter = self._waiter_of(message)
        if waiter is None or waiter.request is None:
            return None
        into = waiter.request.into
        if into is None or len(into) != size:
            return None
        self._filling = waiter
        return into

    def dispatch(self, message: Any, payload: Optional[Bytes]) -> None:
        """Takes one message. BadAnswer: the connection is of no use any more."""
        waiter = self._waiter_of(message)
        self._filling = None
        if waiter is not None:
            del self.waiting[waiter.id]
            self._finish(waiter, message, payload)
        elif isinstance(message, dict) and "method" in message:
            self._take_event(message)
        elif not self._discard(message):
            self._refused(message)

    def _discard(self, message: Any) -> bool:
        first = message[0] if isinstance(message, list) and message else message
        number = first.get("id") if isinstance(first, dict) else None
        if not isinstance(number, int) or number not in self._withdrawn:
            return False
        self._withdrawn.discard(number)
        return True

    def _refused(self, message: Any) -> None:
        """The daemon could not read a message. If only one is out, it is that one."""
        if not isinstance(message, dict) or message.get("id") is not None or "error" not in message:
            raise BadAnswer(f"what came is no answer to a request: {message!r:.200}")
        error = from_answer(message["error"])
        if len(self.waiting) != 1 or self._withdrawn:
            raise BadAnswer(f"the daemon could not read a request: {error}")
        _, waiter = self.waiting.popitem()
        waiter.fail(error)

    def _finish(self, waiter: Waiter, message: Any, payload: Optional[Bytes]) -> None:
        try:
            if waiter.request is not None:
                self._finish_one(waiter, waiter.request, message, payload)
            else:
                self._finish_batch(waiter, message, payload)
        except BadAnswer as error:
            waiter.fail(error)
            raise
        waiter.finish()

    def _finish_batch(self, waiter: Waiter, message: Any, payload: Optional[Bytes]) -> None:
        if not isinstance(message, list) or len(message) != len(waiter.requests):
            raise BadAnswer("the answer to a batch has not as many elements as the batch")
        rest = memoryview(payload) if payload is not None else memoryview(b"")
        for number, (outcome, request, answer) in enumerate(zip(waiter.outcomes, waiter.requests, message), waiter.id):
            if not isinstance(answer, dict) or answer.get("id") != number:
                raise BadAnswer("the answers to a batch are not in its order")
            part, rest = self._cut(request, answer, rest)
            self._finish_one(outcome, request, answer, part)
        if len(rest):
            raise BadAnswer("the answer to a batch has more raw bytes than its reads")

    @staticmethod
    def _cut(request: Request[Any], answer: Any, rest: memoryview) -> Tuple[Optional[memoryview], memoryview]:
        """The raw bytes of one read of a batch, and those of the others."""
        if not request.reads_raw or "result" not in answer:
            return None, rest
        size = answer["result"].get("size") if isinstance(answer["result"], dict) else None
        if not isinstance(size, int) or not 0 <= size <= len(rest):
            raise BadAnswer("the answer to a batch has not the raw bytes that its reads are to have")
        return rest[:size], rest[size:]

    @staticmethod
    def _finish_one(outcome: Outcome, request: Request[Any], answer: Any, payload: Optional[Bytes]) -> None:
        if not isinstance(answer, dict):
            raise BadAnswer("the answer to a request is one to a batch")
        if "error" in answer:
            error = from_answer(answer["error"])
            if isinstance(error, BadAnswer):
                raise error
            outcome.error = error
        elif "result" in answer:
            if request.into is not None and payload is not None and len(payload) != len(request.into):
                raise BadAnswer("the answer has not as many raw bytes as were wanted")
            try:
                outcome.value = request.convert(answer["result"], payload)
            except UmemError:
                raise
            except Exception as error:
                raise BadAnswer(f"the result of {request.text:.60}... is of another form: {error!r}") from error
        else:
            raise BadAnswer("the answer has neither a result nor an error")

    # ---- events ----

    def _take_event(self, message: Any) -> None:
        params = message.get("params")
        if not isinstance(params, dict) or not isinstance(message["method"], str):
            raise BadAnswer("a notification has no method and parameters")
        queue = self.queues.get(params.get("watch", 0))
        if queue is None:
            return  # of a watch that has ended, or a notification that this version does not know
        queue.add(Event(message["method"], params.get("block"), params.get("heap"), params.get("offset"), params.get("size")))

    def add_queue(self, result: Any, payload: Optional[Bytes]) -> EventQueue:
        """The conversion of session.watch's result. Its first event may come right behind it."""
        try:
            queue = EventQueue(result["watch"])
        except (KeyError, TypeError):
            raise BadAnswer("the answer has no watch") from None
        self.queues[queue.watch] = queue
        return queue

    def take_event(self, queue: EventQueue, listener: Optional[Waiter]) -> Optional[Event]:
        """The next event; if there is none the listener is finished by it, or by the end of the watch."""
        if queue.events:
            return queue.events.popleft()
        if listener is None:
            queue.listener = None
        if self.failure is not None:
            raise again(self.failure)
        if listener is not None:
            if queue.listener is not None:
                raise RuntimeError("another thread waits for the next event of this watch")
            if queue.watch in self.queues:
                queue.listener = listener
            else:
                listener.finish()
        return None

    def remove_queue(self, queue: EventQueue) -> bool:
        """Ends a watch here. Whether the daemon does not know yet."""
        is_new = self.queues.pop(queue.watch, None) is not None
        queue.wake()
        return is_new and self.failure is None


def check_size(waiter: Waiter, limits: Dict[str, int]) -> None:
    """TooLarge: the daemon would skip the message."""
    text = sum([len(request.text.encode()) for request in waiter.requests])
    payload = sum([len(request.payload) for request in waiter.requests if request.payload is not None])
    for what, size, name in (("text", text, "message_bytes"), ("raw bytes", payload, "payload_bytes")):
        limit = limits.get(name, size)
        if size > limit:
            message = f"the request has {size} bytes of {what}, and the daemon takes at most {limit}"
            raise TooLarge(message, -32010, "too_large", {"limit": name, "maximum": limit, "asked": size})


def unsent(failure: UmemError) -> UmemError:
    """The same for a request of which nothing was sent."""
    error = again(failure)
    if isinstance(error, ConnectionLost):
        error.sent = False
    return error


def lost_with_session() -> ConnectionLost:
    """The first call on a lost connection that had locks and the like: nobody goes on as if it still had them."""
    error = ConnectionLost(
        "the connection was lost, and with it its locks, holds and watches and what had lifetime session; "
        "nothing was sent, and the next call connects anew"
    )
    error.sent = False
    return error


def is_of_session(request: Request[Any]) -> bool:
    """Whether what it makes or takes ends with the connection; in doubt, it does."""
    text = request.text
    return text.startswith(('"method":"heap.lock"', '"method":"block.hold"', '"method":"session.watch"')) or '"session"' in text


def check_reconnect(seconds: float) -> float:
    if not 0 <= seconds < math.inf:
        raise ValueError("reconnect is a number of seconds")
    return seconds


def closed() -> NotConnected:
    return NotConnected("this client was closed")


def interrupted() -> ConnectionLost:
    return ConnectionLost("a call was interrupted; its answer may be half read, so that the connection was closed")


def forked() -> NotConnected:
    return NotConnected("this connection is that of the process that has forked; connect in this one, too")
