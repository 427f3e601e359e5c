"""One request: its text, its raw bytes, and what becomes of its answer. No I/O.

Every call is a Request first. A Client sends it and waits, an AsyncClient gives an awaitable, a Batch collects it.
"""
from __future__ import annotations

import base64
import json
import math
import operator
from typing import Any, Callable, Dict, Generic, Iterable, List, Optional, TypeVar, Union

from ._errors import BadAnswer
from ._frames import Bytes

T = TypeVar("T")

EXACT = 2**53 - 1  # the largest integer that a JSON number is exact for
FOREVER = math.inf

encode_json = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


class Referable:
    """What has a handle: a Block or Heap can stand wherever one is wanted."""

    __slots__ = ()
    handle: int


Ref = Union[int, str, Referable]
Number = Union[int, float]


def by_name(name: str) -> str:
    """The text that is this name for sure, even if it is digits (protocol.md, "Handles and names")."""
    return ":" + name


def reference(ref: Ref) -> Union[int, str]:
    return ref if isinstance(ref, (int, str)) else ref.handle


def raw_view(data: Bytes) -> memoryview:
    """The bytes of an object with a buffer. TypeError: it has none; ValueError: they are not in one piece."""
    view = memoryview(data)
    if view.nbytes == 0:
        return memoryview(b"")
    if not view.c_contiguous:
        raise ValueError("the bytes are not in one piece; copy them first")
    return view if view.format == "B" and view.ndim == 1 else view.cast("B")


class Request(Generic[T]):
    """A call that was not sent yet. Made by the functions of umem.methods; sent by send() of a client, batch or pipeline."""

    __slots__ = ("text", "payload", "convert", "waits", "into", "reads_raw", "undo", "size")

    def __init__(
        self,
        text: str,
        convert: Callable[[Any, Optional[Bytes]], T],
        payload: Optional[memoryview] = None,
        waits: float = 0,
        into: Optional[memoryview] = None,
        reads_raw: bool = False,
    ) -> None:
        self.text = text  # the members `method` and `params`
        self.convert = convert  # makes of a result, and its raw bytes, what the caller gets
        self.payload = payload
        self.waits = waits  # seconds that the daemon may wait before it answers
        self.into = into  # where the raw bytes of the answer go
        self.size = len(text) + (len(payload) if payload is not None else 0)  # bytes, at least
        self.reads_raw = reads_raw  # raw bytes come with the answer
        self.undo: Optional[Request[Any]] = None  # sent if it succeeds when nobody waits for it any more

    def __repr__(self) -> str:
        return f"<umem.Request {self.text:.100}>"


def text_of(method: str, params: Union[Dict[str, Any], List[Any], None]) -> str:
    return f'"method":{encode_json(method)},"params":{encode_json(params)}'


def plain(result: Any, payload: Optional[Bytes]) -> Any:
    """The result as it is."""
    return result


def raw_bytes_in_data(result: Any, payload: Optional[Bytes]) -> Any:
    """The result of a raw read, with the bytes as its member `data`."""
    data = bytes(payload) if payload is not None else b""
    if not isinstance(result, dict) or result.get("size") != len(data):
        raise BadAnswer("the answer has not as many bytes as it says")
    result["data"] = data
    return result


def nothing(result: Any, payload: Optional[Bytes]) -> None:
    return None


def member(name: str) -> Callable[[Any, Optional[Bytes]], Any]:
    """A conversion that gives one member of the result."""

    def convert(result: Any, payload: Optional[Bytes]) -> Any:
        try:
            return result[name]
        except (KeyError, TypeError):
            raise BadAnswer(f"the answer has no {name}") from None

    return convert


def make(
    method: str,
    params: Dict[str, Any],
    raw: bool = False,
    waits: Optional[float] = 0,
    convert: Callable[[Any, Optional[Bytes]], Any] = plain,
) -> Request[Any]:
    """A request by name. None is left out; bytes become base64, or with raw the payload; waits: ms, None: forever."""
    used: Dict[str, Any] = {}
    payload: Optional[memoryview] = None
    for name, value in params.items():
        if value is None:
            continue
        if isinstance(value, Referable):
            used[name] = value.handle
        elif isinstance(value, (bytes, bytearray, memoryview)):
            view = raw_view(value)
            # Raw bytes are the whole of what is meant; where a larger size is meant they are a part.
            if raw and params.get("size") in (None, view.nbytes):
                payload = view
                used["encoding"] = "raw"
                used["size"] = view.nbytes
            else:
                used[name] = base64.b64encode(view).decode()
        else:
            used[name] = value
    seconds = FOREVER if waits is None else waits / 1000
    return Request(text_of(method, used), convert, payload, seconds, reads_raw=convert is raw_bytes_in_data)


def to_json_number(value: Number) -> Union[int, float, str]:
    """A number as the protocol wants it: large integers, NaN and the infinities are strings."""
    try:
        whole = int(operator.index(value))  # type: ignore[arg-type]
    except TypeError:
        number = float(value)
        if math.isfinite(number):
            return number
        return "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"
    return whole if -EXACT <= whole <= EXACT else str(whole)


def from_json_number(value: Any, type_name: str) -> Number:
    try:
        return float(value) if type_name in ("f32", "f64") else int(value)
    except (TypeError, ValueError):
        raise BadAnswer(f"the answer has no number: {value!r:.100}") from None


def number_result(type_name: str, name: str) -> Callable[[Any, Optional[Bytes]], Number]:
    get = member(name)
    return lambda result, payload: from_json_number(get(result, payload), type_name)


def array_result(type_name: str) -> Callable[[Any, Optional[Bytes]], List[Number]]:
    get = member("values")
    return lambda result, payload: [from_json_number(value, type_name) for value in get(result, payload)]


# The protocol's types by struct's codes. "l" and "L" differ between systems, so they are none of them.
TYPE_CODES = {
    "b": "i8", "B": "u8", "h": "i16", "H": "u16", "i": "i32", "I": "u32", "q": "i64", "Q": "u64", "f": "f32", "d": "f64",
}  # fmt: skip
TYPE_SIZES = {"i8": 1, "u8": 1, "i16": 2, "u16": 2, "i32": 4, "u32": 4, "i64": 8, "u64": 8, "f32": 4, "f64": 8}


def type_name(code: str) -> str:
    """The protocol's name of a type, for that name or a code of struct's."""
    if code in TYPE_SIZES:
        return code
    try:
        return TYPE_CODES[code]
    except KeyError:
        raise ValueError(f"{code!r} is no type: {' '.join(TYPE_SIZES)}, or one of struct's codes {' '.join(TYPE_CODES)}") from None


def numbers(values: Iterable[Number]) -> List[Union[int, float, str]]:
    return [to_json_number(value) for value in values]
