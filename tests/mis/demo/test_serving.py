"""Web and worker run side by side: here stand-ins, because what matters is who starts, who stops, and who is left."""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Timer

import pytest

from mis.demo import serving
from mis.errors import Conflict, Invalid

WEB = """
import http.server, sys
class Health(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers()
    def log_message(self, *args): pass
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Health).serve_forever()
"""
# A worker with a child of its own, as the real one has its clock; the child hears nothing.
WORKER = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
open(sys.argv[1], "w").write(str(child.pid))
time.sleep(60)
"""
DYING = "import sys; sys.exit(3)"


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that somebody uses."""
    with socket.socket() as listener:
        listener.bind((serving.HOST, 0))
        listener.listen()
        yield listener.getsockname()[1]


@pytest.fixture
def port(taken: int) -> int:
    return serving.free_port(taken, tell=lambda _sentence: None)


def test_a_port_in_use_is_named_and_the_next_free_one_taken(taken: int):
    said: list[str] = []
    port = serving.free_port(taken, tell=said.append)
    assert port > taken
    assert said == [f"Port {taken} is in use by another program; taking {port}."]


@pytest.mark.parametrize("wrong", [0, 80, 70000, -1])
def test_what_is_no_port_is_refused(wrong: int):
    with pytest.raises(Invalid, match="not a port"):
        serving.free_port(wrong, tell=print)


def test_one_instance_has_one_demo_at_a_time(tmp_path: Path):
    lock = tmp_path / "demo.lock"
    with serving.alone(lock), pytest.raises(Conflict, match="already runs"), serving.alone(lock):
        pass
    with serving.alone(lock):
        pass


def runs(process: int) -> bool:
    try:
        return "zombie" not in Path(f"/proc/{process}/status").read_text()
    except OSError:
        return False


def stand_in(patch: pytest.MonkeyPatch, port: int, *, worker: list[str]) -> None:
    patch.setattr(serving, "web_command", lambda port: [sys.executable, "-c", WEB, str(port)])
    patch.setattr(serving, "embedded_command", lambda: [sys.executable, "-c", *worker])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_both_with_no_process_left(
    monkeypatch: pytest.MonkeyPatch, port: int, tmp_path: Path, number: int
):
    stand_in(monkeypatch, port, worker=[WORKER, str(tmp_path / "child")])
    addresses: list[str] = []

    def ready(address: str) -> None:
        addresses.append(address)
        Timer(0.5, os.kill, (os.getpid(), number)).start()

    assert serving.run(port, ready=ready, tell=lambda _sentence: None) == 0
    assert addresses == [f"http://127.0.0.1:{port}"]
    assert serving.free_port(port, tell=print) == port
    deadline = time.monotonic() + 10
    while runs(int((tmp_path / "child").read_text())):
        assert time.monotonic() < deadline, "The child of the worker is left behind."
        time.sleep(0.05)


def test_if_one_ends_by_itself_the_demo_says_so_and_stops_the_other(
    monkeypatch: pytest.MonkeyPatch, port: int
):
    stand_in(monkeypatch, port, worker=[DYING])
    said: list[str] = []
    assert serving.run(port, ready=lambda _address: None, tell=said.append) == 1
    assert said == ["The worker has ended by itself (exit code 3). Stopping the demo."]
    assert serving.free_port(port, tell=print) == port
