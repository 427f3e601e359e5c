"""umem: memory that lives in umemd, for Python programs.

    import umem

    with umem.connect() as daemon:
        with daemon.alloc(64, name="greeting") as block:
            block[0:5] = b"hello"
            print(block[0:5])

Every exception is a UmemError; those for the daemon's answers have the facts that it reports. umem.aio has the same for
asyncio, umem.methods every method of the daemon. README.md of the package tells more.
"""
from . import methods
from ._blocking import Block, Calls, Client, Heap, Lock, Pending, Watch, connect
from ._errors import (
    BadAnswer,
    Cancelled,
    ConnectionLost,
    Corrupted,
    DeadlineExceeded,
    Denied,
    InternalError,
    InvalidParams,
    InvalidRequest,
    LimitExceeded,
    Locked,
    MethodNotFound,
    NameTaken,
    NoMemory,
    NotConnected,
    NotTrusted,
    OutOfRange,
    ParseError,
    Reentered,
    RequestError,
    StaleHandle,
    StillMapped,
    Timeout,
    TooLarge,
    UmemError,
    UnknownHandle,
    Unsupported,
)
from ._request import Request
from ._session import Event

__version__ = "0.1.0"

__all__ = [
    "BadAnswer",
    "Block",
    "Calls",
    "Cancelled",
    "Client",
    "ConnectionLost",
    "Corrupted",
    "DeadlineExceeded",
    "Denied",
    "Event",
    "Heap",
    "InternalError",
    "InvalidParams",
    "InvalidRequest",
    "LimitExceeded",
    "Lock",
    "Locked",
    "MethodNotFound",
    "NameTaken",
    "NoMemory",
    "NotConnected",
    "NotTrusted",
    "OutOfRange",
    "ParseError",
    "Pending",
    "Reentered",
    "Request",
    "RequestError",
    "StaleHandle",
    "StillMapped",
    "Timeout",
    "TooLarge",
    "UmemError",
    "UnknownHandle",
    "Unsupported",
    "Watch",
    "connect",
    "methods",
]
