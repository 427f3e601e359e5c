"""The client whose calls wait for their answers. Threads may share it: one that waits reads for all.

A call writes its request itself. Of the threads that wait for an answer, one reads from the pipe and hands over what is
the others'; when it has its own answer, another one goes on. So a thread that waits for a change delays nobody.
"""
from __future__ import annotations

import os
import sys
import threading
import time
import weakref
from typing import Any, Dict, List, Optional, Sequence, Tuple, TypeVar

from . import _endpoint, methods
from ._calls import without
from ._errors import ConnectionLost, DeadlineExceeded, Reentered, UmemError
from ._frames import Bytes
from ._request import FOREVER, Request
from ._session import Event, EventQueue, Session, Waiter, check_size, closed, forked, interrupted, unsent

if sys.platform == "win32":
    from ._pipe_win32 import Pipe
else:
    from ._pipe_posix import Pipe

T = TypeVar("T")

STEP = 0.05  # seconds after which a write that is held up looks again whether another thread reads
PARTS = 512  # pieces that one write takes; systems have a limit
UNKNOWN = 65536  # bytes of a message from which on it is compared with the daemon's limits first

_clients: "weakref.WeakSet[Connection]" = weakref.WeakSet()


class Connection:
    """Requests out, answers in. Knows no blocks."""

    def __init__(self, pipe: Optional[str], timeout: Optional[float], server_user: Optional[str] = None) -> None:
        self.pipe = _endpoint.find(pipe)
        self._server_user = _endpoint.server_user(server_user)
        self.timeout = timeout
        self._limits: Optional[Dict[str, int]] = None
        self._inside: Dict[int, bool] = {}  # the threads that are in a call
        # Protects the session, and who reads. A signal handler may close the client while its thread has it.
        self._mutex = threading.RLock()
        self._send_mutex = threading.Lock()
        self._session = Session()
        self.has_session_things = False  # it may have locks, holds or watches, or blocks that end with it
        self.renewing = threading.RLock()  # for who puts another connection in its place
        self._is_reading = False  # a thread does
        self._sleepers: Dict[Waiter, Any] = {}  # locks that threads wait for which do not read
        self._pipe = Pipe(self.pipe, time.monotonic() + self._seconds(), self._server_user)
        _clients.add(self)

    def _seconds(self) -> float:
        return FOREVER if self.timeout is None else self.timeout

    @property
    def closed(self) -> bool:
        """Whether there is no connection any more."""
        return self._session.failure is not None

    def fileno(self) -> int:
        """The descriptor (or handle) of the connection, for select: readable means that an event may have come."""
        return self._pipe.fileno()

    def close(self) -> None:
        """Ends the session. Calls of other threads fail. More than once does nothing."""
        self._end(closed())

    def _end(self, reason: UmemError) -> None:
        with self._mutex:
            self._session.fail(reason)
        self._pipe.close()

    def _after_fork(self) -> None:
        """In the child: closes its copy, which would keep the parent's session open."""
        self._mutex = threading.RLock()
        self._send_mutex = threading.Lock()
        self.renewing = threading.RLock()
        self._sleepers = {}
        self._inside = {}
        self._session.waiting = {}
        self._session.queues = {}
        self._session.fail(forked())
        self._pipe.abandon()

    # ---- one call ----

    def send(self, request: Request[T]) -> T:
        """Sends one request and waits for its answer."""
        waiter = Waiter(request)
        if request.size > UNKNOWN or not self._send_alone(request, waiter):
            self.exchange((waiter,), request.waits)
        if waiter.error is not None:
            raise waiter.error
        return waiter.value  # type: ignore[no-any-return]

    def _send_alone(self, request: Request[Any], waiter: Waiter) -> bool:
        """The short way while no other call is under way. False: one is, and nothing was sent."""
        if self._inside:
            return False
        thread = threading.get_ident()
        self._inside[thread] = True
        try:
            with self._mutex:
                if self._is_reading or self._session.waiting:
                    return False
                parts = self._session.begin(waiter)
                self._is_reading = True
            deadline = time.monotonic() + self._seconds() + request.waits
            try:
                self._write(parts, (waiter,), deadline)
            except BaseException:
                self._stop_reading()
                raise
            self._lead(waiter, deadline)
            self._expire(waiter)
        except UmemError:
            raise
        except BaseException:
            # Where it was begun, it may have come between two steps that belong together.
            if waiter.id:
                self._end(interrupted())
            raise
        finally:
            self._inside.pop(thread, None)
        return True

    def exchange(self, waiters: Sequence[Waiter], waits: float) -> None:
        """Sends them all, and returns when all are answered or failed. waits: seconds that the daemon may wait."""
        deadline = time.monotonic() + self._seconds() + waits
        self._enter()
        try:
            for waiter in waiters:
                if sum([request.size for request in waiter.requests]) > UNKNOWN:
                    self._check_size(waiter)
            self._exchange(waiters, deadline)
        finally:
            self._leave()

    def _enter(self) -> None:
        """A thread is in one call at a time: what interrupts one, and makes another, would wait for itself."""
        thread = threading.get_ident()
        if thread in self._inside:
            raise Reentered("a signal handler or finalizer made a call within a call on the same client")
        self._inside[thread] = True

    def _leave(self) -> None:
        self._inside.pop(threading.get_ident(), None)

    def _exchange(self, waiters: Sequence[Waiter], deadline: float) -> None:
        parts: List[Bytes] = []
        with self._mutex:
            try:
                for waiter in waiters:
                    parts += self._session.begin(waiter)
            except BaseException:
                for waiter in waiters:
                    self._session.withdraw(waiter)
                raise
        try:
            self._write(parts, waiters, deadline)
            for waiter in waiters:
                if not self._await(waiter, deadline):
                    self._expire(waiter)
        except UmemError:
            raise
        except BaseException:
            # It may have come between two steps that belong together.
            self._end(interrupted())
            raise

    def _check_size(self, waiter: Waiter) -> None:
        """What the daemon would skip is not sent: its answer would not say which request it means."""
        check_size(waiter, self._known_limits())

    def _known_limits(self) -> Dict[str, int]:
        """Within a call."""
        if self._limits is None:
            question = Waiter(methods.server_info())
            self._exchange((question,), time.monotonic() + self._seconds())
            self._limits = question.get()["limits"]
        return self._limits

    def limits(self) -> Dict[str, int]:
        """The daemon's limits, which stay what they are as long as it runs."""
        if self._limits is None:
            self._limits = self.send(methods.server_info())["limits"]
        return self._limits

    def wait_for_event(self, queue: EventQueue, timeout: Optional[float]) -> Optional[Event]:
        """The next event of a watch. None: the watch has ended, or the time is over."""
        deadline = time.monotonic() + (FOREVER if timeout is None else timeout)
        waiter = Waiter()
        self._enter()
        try:
            with self._mutex:
                event = self._session.take_event(queue, waiter)
            if event is not None or waiter.done:
                return event
            try:
                self._await(waiter, deadline)
            except BaseException:
                self._end(interrupted())
                raise
            with self._mutex:
                return self._session.take_event(queue, None)
        finally:
            self._leave()

    def begin_watch(self, request: Request[Any]) -> Tuple[Connection, EventQueue]:
        """The connection that the watch is of, and its events."""
        return self, self.send(Request(request.text, self._session.add_queue))

    def end_watch(self, queue: EventQueue) -> bool:
        """Whether the daemon does not know yet that it has ended."""
        with self._mutex:
            return self._session.remove_queue(queue)

    # ---- writing ----

    def _write(self, parts: List[Bytes], waiters: Sequence[Waiter], deadline: float) -> None:
        with self._send_mutex:
            try:
                while parts:
                    size = self._pipe.write_some(parts[:PARTS])
                    if size or self._pipe.is_writing:
                        for waiter in waiters:
                            waiter.was_sent = True
                    if size == 0:
                        self._wait_to_write(waiters, deadline)
                        continue
                    if len(parts) == 1 and size == len(parts[0]):
                        return
                    parts = without(parts, size)
            except ConnectionLost as error:
                if waiters[0].was_sent:
                    self._end(error)
                    raise
                with self._mutex:
                    for waiter in waiters:
                        self._session.withdraw(waiter)
                self._end(error)
                raise unsent(error) from None

    def _wait_to_write(self, waiters: Sequence[Waiter], deadline: float) -> None:
        """The daemon takes no more until its answers are read: reads, if no other thread does."""
        left = deadline - time.monotonic()
        if left <= 0:
            self._expire_unsent(waiters)
        with self._mutex:
            lead = not self._is_reading
            self._is_reading = True
        try:
            readable, _ = self._pipe.wait(lead, True, min(left, STEP))
            if lead and readable:
                self._read_some(0)
        finally:
            if lead:
                self._stop_reading()

    def _expire_unsent(self, waiters: Sequence[Waiter]) -> None:
        error = DeadlineExceeded("the daemon did not take the request in time")
        if waiters[0].was_sent:
            # The daemon would take what comes next for the rest of it.
            self._end(ConnectionLost("a request was sent in part; the connection was closed"))
        else:
            with self._mutex:
                for waiter in waiters:
                    self._session.withdraw(waiter)
        raise error

    # ---- reading ----

    def _await(self, waiter: Waiter, deadline: float) -> bool:
        """Returns when it is done. False: the time is over."""
        while not waiter.done:
            with self._mutex:
                if waiter.done:
                    return True
                lead = not self._is_reading
                self._is_reading = True
                if not lead:
                    sleeper = threading.Lock()
                    sleeper.acquire()
                    self._sleepers[waiter] = sleeper
                    waiter.on_done = self._wake
            if lead:
                self._lead(waiter, deadline)
            else:
                sleeper.acquire(timeout=min(max(deadline - time.monotonic(), 0), threading.TIMEOUT_MAX))
                with self._mutex:
                    self._sleepers.pop(waiter, None)
            if not waiter.done and time.monotonic() >= deadline:
                # It may just have been woken to read.
                self._pass_on()
                return False
        return True

    def _lead(self, waiter: Waiter, deadline: float) -> None:
        """Reads for all threads until this one's is done, or the deadline."""
        try:
            while not waiter.done:
                left = deadline - time.monotonic()
                self._read_some(max(left, 0))
                if left <= 0:
                    return
        finally:
            self._stop_reading()

    def _wake(self, waiter: Waiter) -> None:
        """With the mutex."""
        sleeper = self._sleepers.pop(waiter, None)
        if sleeper is not None:
            sleeper.release()

    def _stop_reading(self) -> None:
        with self._mutex:
            self._is_reading = False
            if self._sleepers:
                self._wake(next(iter(self._sleepers)))

    def _pass_on(self) -> None:
        """Another thread that waits reads from now on, if none does."""
        with self._mutex:
            if not self._is_reading and self._sleepers:
                self._wake(next(iter(self._sleepers)))

    def _read_some(self, seconds: float) -> None:
        """Takes what comes within that time, and hands over the answers in it."""
        session = self._session
        try:
            size = self._pipe.read_into(session.parser.space(), seconds)
            if size == 0:
                return
            with self._mutex:
                session.parser.received(size)
                found = session.parser.next()
                while found is not None:
                    session.dispatch(*found)
                    found = session.parser.next()
        except ConnectionLost as error:
            self._end(error)

    def _expire(self, waiter: Waiter) -> None:
        """If it is not done yet, nobody waits for the answer any more."""
        if waiter.done:
            return
        with self._mutex:
            if waiter.done:
                return
            must_end = self._session.withdraw(waiter)
            waiter.fail(DeadlineExceeded("the daemon did not answer in time"))
        if must_end:
            self._end(ConnectionLost("an answer did not come in time; the connection was closed"))


def _after_fork() -> None:
    for client in list(_clients):
        client._after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
