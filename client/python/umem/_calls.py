"""The requests that blocks and heaps make, for both clients. No I/O."""
from __future__ import annotations

from typing import Any, Callable, List, Optional, Sequence, Tuple, Union

from ._errors import BadAnswer
from ._frames import Bytes
from ._request import (
    EXACT,
    Number,
    Ref,
    Request,
    array_result,
    make,
    member,
    nothing,
    number_result,
    numbers,
    plain,
    text_of,
    to_json_number,
    type_name,
)

Numbers = Union[Number, Sequence[Number]]


def _take_raw(result: Any, payload: Optional[Bytes]) -> bytes:
    """All bytes that came, as many as the result says."""
    data = bytes(payload) if payload is not None else b""
    if not isinstance(result, dict) or result.get("size") != len(data):
        raise BadAnswer("the answer has not as many bytes as it says")
    return data


def read(ref: str, offset: int, size: Optional[int]) -> Request[bytes]:
    """ref is JSON already. It is sent by position, since it is the request that programs send most."""
    last = "null" if size is None else f"{size:d}"
    return Request(f'"method":"block.read","params":[{ref},{offset:d},{last},"raw"]', _take_raw, reads_raw=True)


def read_into(ref: str, offset: int, space: memoryview) -> Request[int]:
    def convert(result: Any, payload: Optional[Bytes]) -> int:
        if len(space) and (payload is None or len(payload) != len(space)):
            raise BadAnswer("the answer has not as many bytes as were wanted")
        if payload is not None and payload is not space:
            space[:] = payload
        return len(space)

    text = f'"method":"block.read","params":[{ref},{offset:d},{len(space)},"raw"]'
    return Request(text, convert, into=space, reads_raw=True)


def write(ref: str, offset: int, data: memoryview) -> Request[None]:
    text = f'"method":"block.write","params":{{"block":{ref},"offset":{offset:d},"encoding":"raw","size":{len(data)}}}'
    return Request(text, nothing, payload=data)


def _number(
    method: str, ref: Ref, type: str, offset: int, value: Number, convert: Callable[[Any, Optional[Bytes]], Any], **others: Any
) -> Request[Any]:
    params = {"block": ref, "offset": offset, "type": type, "value": to_json_number(value), **others}
    return make(method, params, convert=convert)


def get_number(ref: Ref, type: str, offset: int) -> Request[Number]:
    def convert(result: Any, payload: Optional[Bytes]) -> Number:
        values = array(result, payload)
        if len(values) != 1:
            raise BadAnswer("the answer has not one number")
        return values[0]

    name = type_name(type)
    array = array_result(name)
    return make("block.get", {"block": ref, "offset": offset, "type": name}, convert=convert)


def get_numbers(ref: Ref, type: str, offset: int, count: int) -> Request[List[Number]]:
    name = type_name(type)
    return make("block.get", {"block": ref, "offset": offset, "type": name, "count": count}, convert=array_result(name))


def set_numbers(ref: Ref, type: str, offset: int, value: Numbers) -> Request[None]:
    values = numbers(value) if isinstance(value, Sequence) else [to_json_number(value)]
    return make("block.set", {"block": ref, "offset": offset, "type": type_name(type), "values": values}, convert=nothing)


def add(ref: Ref, type: str, offset: int, value: Number) -> Request[Number]:
    name = type_name(type)
    return _number("block.add", ref, name, offset, value, number_result(name, "new"))


def exchange(ref: Ref, type: str, offset: int, value: Number) -> Request[Number]:
    name = type_name(type)
    return _number("block.exchange", ref, name, offset, value, number_result(name, "old"))


def compare_exchange(ref: Ref, type: str, offset: int, expected: Number, value: Number) -> Request[Tuple[bool, Number]]:
    def convert(result: Any, payload: Optional[Bytes]) -> Tuple[bool, Number]:
        return exchanged(result, payload), old(result, payload)

    name = type_name(type)
    exchanged = member("exchanged")
    old = number_result(name, "old")
    return _number("block.exchange", ref, name, offset, value, convert, expected=to_json_number(expected))


def milliseconds(seconds: float) -> int:
    """Rounded up, so that no wait is shorter than it was asked to be."""
    return max(0, min(EXACT, -int(-seconds * 1000 // 1)))


def wait(ref: Ref, type: str, offset: int, value: Number, timeout: Optional[float]) -> Request[Number]:
    name = type_name(type)
    wait_ms = None if timeout is None else milliseconds(timeout)
    params = {"block": ref, "offset": offset, "type": name, "value": to_json_number(value), "timeout_ms": wait_ms}
    return make("block.wait", params, waits=wait_ms, convert=number_result(name, "value"))


def lock(ref: Ref, timeout: Optional[float]) -> Request[None]:
    wait_ms = None if timeout is None else milliseconds(timeout)
    params = {"heap": ref, "timeout_ms": EXACT if wait_ms is None else wait_ms}
    request = make("heap.lock", params, waits=wait_ms, convert=nothing)
    request.undo = make("heap.unlock", {"heap": ref}, convert=nothing)
    return request


def any_method(method: str, params: Any) -> Request[Any]:
    return Request(text_of(method, params), plain)


def without(parts: Sequence[Bytes], size: int) -> List[Bytes]:
    """What is left of the parts behind the first bytes."""
    for i, part in enumerate(parts):
        if size < len(part):
            return [memoryview(part)[size:], *parts[i + 1 :]]
        size -= len(part)
    return []
