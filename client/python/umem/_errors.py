"""What can go wrong. Every exception of this package is a UmemError; most are also the built-in one that fits.

A RequestError is the daemon's answer: it has done nothing, and the connection goes on. The others say so themselves.
"""
from __future__ import annotations

from typing import Any, Dict, Mapping, Optional, Tuple, Type


class UmemError(Exception):
    """The base of all exceptions of this package."""


# ---- the connection ----


class NotConnected(UmemError, ConnectionError):
    """There is no connection: no daemon listens there, or this client was closed."""


class NotTrusted(UmemError, ConnectionError):
    """Another user's program listens there, or the system does not say whose it is. Nothing was sent."""


class ConnectionLost(UmemError, ConnectionError):
    """The connection has ended. Whether a request that was under way was done is not known. connect() makes a new one.

    sent: False if nothing of the request has got to the daemon, so that it was not done for sure.
    """

    sent = True


class BadAnswer(ConnectionLost):
    """What came is not an answer of umemd's. The connection was closed."""


class DeadlineExceeded(UmemError, TimeoutError):
    """No answer came within the client's timeout. Whether the request was done, or will be, is not known.

    The client goes on, and discards the late answer, unless a part of a message was under way: its `closed` says so.
    """


class Reentered(UmemError, RuntimeError):
    """A signal handler or finalizer has made a call on a client while the same thread was in a call on it. Nothing was sent."""


class StillMapped(UmemError, BufferError):
    """A view of the block's memory (a slice of a memoryview, a NumPy array) is in use. Nothing was done."""


# ---- the daemon's answers ----


class RequestError(UmemError):
    """The daemon's answer is an error: it has changed nothing.

    code and name are those of protocol.md; facts has what else the daemon reports: `block`, `offset`, `size`, `limit` ...
    An error without a class of its own, from a newer daemon, is a RequestError itself.
    """

    def __init__(self, message: str, code: int = 0, name: str = "", facts: Optional[Mapping[str, Any]] = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.name = name
        self.facts: Dict[str, Any] = dict(facts or {})

    def __str__(self) -> str:
        return f"{self.message} ({self.name})" if self.name else self.message

    def __reduce__(self) -> Tuple[Any, ...]:
        return type(self), (self.message, self.code, self.name, self.facts)


class ParseError(RequestError):
    """The message was not JSON."""


class InvalidRequest(RequestError):
    """The message was JSON but not a request."""


class MethodNotFound(RequestError):
    """The daemon has no such method."""


class InvalidParams(RequestError, ValueError):
    """A parameter is missing, unknown, of the wrong type or out of its bounds."""


class InternalError(RequestError):
    """The daemon had no memory for the answer."""


class UnknownHandle(RequestError, LookupError):
    """The handle was never given out, or is of the other kind; or nothing has that name."""


class StaleHandle(RequestError, LookupError):
    """The block was freed, or the heap destroyed."""


class OutOfRange(RequestError, IndexError):
    """The range passes the end of the block."""


class NoMemory(RequestError, MemoryError):
    """The heap's maximum, its free ranges, or the system's memory do not suffice."""


class LimitExceeded(RequestError):
    """A limit of the daemon is reached: facts says which, its maximum and what is in use."""


class NameTaken(RequestError):
    """Another block or heap has that name."""


class Locked(RequestError):
    """Another session has locked the heap."""


class Denied(RequestError):
    """The daemon does not do that."""


class Unsupported(RequestError):
    """Not with this platform, kind of heap, or in a batch; or the bytes are not UTF-8."""


class TooLarge(RequestError):
    """The message, its payload or its answer passes a limit."""


class Corrupted(RequestError):
    """A heap is damaged, or a client has truncated the memory of a shared heap."""


class Timeout(RequestError, TimeoutError):
    """The time of a call that waits is over."""


class Cancelled(RequestError):
    """A call that waited was cancelled."""


# By the name in the answer; protocol.md, "Errors".
BY_NAME: Dict[str, Type[RequestError]] = {
    "parse_error": ParseError,
    "invalid_request": InvalidRequest,
    "method_not_found": MethodNotFound,
    "invalid_params": InvalidParams,
    "internal_error": InternalError,
    "unknown_handle": UnknownHandle,
    "stale_handle": StaleHandle,
    "out_of_range": OutOfRange,
    "no_memory": NoMemory,
    "limit_exceeded": LimitExceeded,
    "name_taken": NameTaken,
    "locked": Locked,
    "denied": Denied,
    "unsupported": Unsupported,
    "too_large": TooLarge,
    "corrupted": Corrupted,
    "timeout": Timeout,
    "cancelled": Cancelled,
}


def again(error: UmemError) -> UmemError:
    """The same error, for another caller: each has a traceback of its own."""
    if isinstance(error, RequestError):
        return type(error)(error.message, error.code, error.name, error.facts)
    return type(error)(*error.args)


def from_answer(error: Any) -> UmemError:
    """The exception for the member `error` of an answer."""
    if not isinstance(error, dict) or not isinstance(error.get("code"), int) or not isinstance(error.get("message"), str):
        return BadAnswer(f"the error in the answer has no code and message: {error!r:.200}")
    data = error.get("data")
    facts = dict(data) if isinstance(data, dict) else {}
    name = facts.pop("name", "")
    kind = BY_NAME.get(str(name), RequestError)
    return kind(error["message"], error["code"], str(name), facts)
