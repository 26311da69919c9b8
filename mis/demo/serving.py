"""Web and worker side by side in the foreground: both come up, both stop together, and no process is left behind.

Each child has a process group of its own, so that Ctrl-C reaches only this process, which then ends both in order.
"""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from mis.errors import Conflict, Invalid
from mis.worker_bell import embedded_command

HOST = "127.0.0.1"
_PORTS_TRIED = 20
_STARTS_WITHIN = 60  # seconds
_ENDS_WITHIN = 15  # seconds; a worker ends after its current part

Tell = Callable[[str], object]


@dataclass(frozen=True)
class Child:
    """A process that the demo started."""

    name: str
    process: subprocess.Popen[bytes]


@contextmanager
def alone(lock: Path) -> Iterator[None]:
    """Hold the instance for this demo. Raises Conflict if another one runs on it."""
    with lock.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Conflict(
                f"The demo already runs on {lock.parent}.",
                instead="Stop it with Ctrl-C where it runs, or choose another folder with MIS_INSTANCE_DIR.",
            ) from None
        yield


def free_port(wanted: int, *, tell: Tell) -> int:
    """The wanted port, or the next one that nobody uses."""
    if not 1024 <= wanted <= 65535:
        raise Invalid(f"{wanted} is not a port for the demo: take one from 1024 to 65535.", field="port")
    for port in range(wanted, min(wanted + _PORTS_TRIED, 65536)):
        if _is_free(port):
            if port != wanted:
                tell(f"Port {wanted} is in use by another program; taking {port}.")
            return port
    raise Conflict(f"The ports {wanted} to {port} are all in use.", instead="Name another one with --port.")


def run(port: int, *, ready: Callable[[str], object], tell: Tell) -> int:
    """Start web and worker, call `ready` with the address once the web answers, and wait; returns the exit code.

    Ctrl-C and SIGTERM stop both and return 0. If one of them ends by itself, the other is stopped too, and 1 returned.
    """
    stop = _Stop()
    address = f"http://{HOST}:{port}"
    children: list[Child] = []
    try:
        children.append(_start("web", web_command(port)))
        children.append(_start("worker", embedded_command()))
        if _wait_for(address, children, stop):
            ready(address)
        while not stop.asked and _all_run(children):
            time.sleep(0.2)
        if stop.asked:
            tell("Stopping …")
            return 0
        for child in children:
            if (code := child.process.poll()) is not None:
                tell(f"The {child.name} has ended by itself (exit code {code}). Stopping the demo.")
        return 1
    finally:
        _end(children)
        stop.restore()


def web_command(port: int) -> list[str]:
    """The web process: one, with threads, so that SQLite has few writers."""
    return [
        *(sys.executable, "-m", "gunicorn", "mis.wsgi:app", "--bind", f"{HOST}:{port}"),
        *("--workers", "1", "--threads", "8", "--log-level", "warning", "--graceful-timeout", "5"),
        "--no-control-socket",
    ]


class _Stop:
    """Whether somebody wants the demo to stop."""

    SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def __init__(self) -> None:
        self.asked = False
        self._before = {number: signal.signal(number, self._ask) for number in self.SIGNALS}

    def _ask(self, _number: int, _frame: object) -> None:
        self.asked = True

    def restore(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)


def _start(name: str, command: list[str]) -> Child:
    # In a container everybody is root; the demo need not be told so by its worker.
    quiet = os.environ | {"PYTHONWARNINGS": "ignore:You're running the worker with superuser privileges"}
    process = subprocess.Popen(command, start_new_session=True, env=quiet)  # noqa: S603 - our own command lines
    return Child(name, process)


def _wait_for(address: str, children: list[Child], stop: _Stop) -> bool:
    """Whether the web answers before anything ends or anybody loses patience."""
    deadline = time.monotonic() + _STARTS_WITHIN
    while not stop.asked and _all_run(children) and time.monotonic() < deadline:
        if _answers(f"{address}/health"):
            return True
        time.sleep(0.2)
    return False


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):  # noqa: S310 - our own address
            return True
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


def _all_run(children: list[Child]) -> bool:
    return all(child.process.poll() is None for child in children)


def _end(children: list[Child]) -> None:
    for child in children:
        _signal(child, signal.SIGTERM)
    deadline = time.monotonic() + _ENDS_WITHIN
    for child in children:
        with suppress(subprocess.TimeoutExpired):
            child.process.wait(max(0.1, deadline - time.monotonic()))
    for child in children:
        # Whoever is left in the group, such as the clock of the worker, ends with it.
        _signal(child, signal.SIGKILL)
        child.process.wait()


def _signal(child: Child, number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        if number == signal.SIGKILL:
            os.killpg(child.process.pid, number)
        elif child.process.poll() is None:
            child.process.send_signal(number)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True
