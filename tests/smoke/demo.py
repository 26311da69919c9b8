"""Does `make demo` in a checkout start, answer, let every role sign in, and stop on Ctrl-C? And does it do so again?

    python tests/smoke/demo.py CHECKOUT

The checkout gets a home of its own and nothing of the caller's settings, as on somebody's fresh machine. The first
start installs and seeds; the second must be up within seconds. Standard library only.
"""

from __future__ import annotations

import contextlib
import os
import queue
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
import tomllib
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Callable
from http.cookiejar import CookieJar
from pathlib import Path
from typing import NoReturn

FIRST_START_SECONDS = 900
SECOND_START_SECONDS = 30
STOP_SECONDS = 30
ADDRESS = re.compile(r"http://(?:127\.0\.0\.1|localhost):\d+")
TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')
# Every process that the demo starts inherits this variable, whatever it does to its session or group.
MARK = "SMOKE_RUN"


class Demo:
    """One run of `make demo`, with all that it prints."""

    def __init__(self, checkout: Path, home: Path) -> None:
        self.mark = uuid.uuid4().hex
        keep = {name: os.environ[name] for name in os.environ if not name.startswith(("MIS_", "MAKE"))}
        self.process = subprocess.Popen(
            ["make", "demo"],
            cwd=checkout,
            env=keep | {"HOME": str(home), "PYTHONUNBUFFERED": "1", MARK: self.mark},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.lines: list[str] = []
        self._fresh: queue.Queue[str | None] = queue.Queue()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._fresh.put(line)
        self._fresh.put(None)

    def wait_until(self, ready: Callable[[list[str]], bool], *, seconds: int) -> None:
        """Read what it prints until `ready` is content."""
        ends = time.monotonic() + seconds
        while not ready(self.lines):
            try:
                line = self._fresh.get(timeout=max(0.0, ends - time.monotonic()))
            except queue.Empty:
                self.fail(f"was not ready within {seconds} seconds")
            if line is None:
                self.fail("ended before it was ready")
            self.lines.append(line.rstrip())
            print("   |", line.rstrip(), flush=True)

    def stop(self) -> None:
        """Press Ctrl-C, as a terminal does: the signal goes to the whole foreground group."""
        os.killpg(self.process.pid, signal.SIGINT)
        try:
            self.process.wait(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.fail(f"did not stop within {STOP_SECONDS} seconds of Ctrl-C")
        for _ in range(50):
            if not self.running():
                return
            time.sleep(0.1)
        self.fail(f"left processes behind: {self.running()}")

    def running(self) -> list[str]:
        """The command lines of all processes of this run that are still there."""
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if f"{MARK}={self.mark}".encode() in (folder / "environ").read_bytes().split(b"\0"):
                    found.append((folder / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        return found

    def fail(self, why: str) -> NoReturn:
        """Say what went wrong with the last that was printed, leaving no process behind."""
        while not self._fresh.empty():
            self.lines.append((self._fresh.get() or "").rstrip())
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        raise SystemExit("\n".join([*self.lines[-40:], f"FAILED: make demo {why}."]))


def sign_ins(lines: list[str], labels: list[str]) -> dict[str, tuple[str, str]]:
    """The user and password that were printed for each role, in lines that begin with the role's label."""
    found = {}
    for line in lines:
        for label in labels:
            if line.strip().startswith(label) and len(words := line.strip().removeprefix(label).split()) >= 2:
                found[label] = (words[0], words[1])
    return found


def browse(address: str, username: str, password: str) -> str | None:
    """Sign in through the form and open the dashboard; returns what went wrong, if anything."""
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
    with opener.open(address, timeout=30) as answer:
        page, url = answer.read().decode(), answer.url
    token = TOKEN.search(page)
    if "sign-in" not in url or token is None:
        return f"the visitor was not sent to a sign-in form, but to {url}"
    form = urllib.parse.urlencode({"username": username, "password": password, "csrf_token": token[1]})
    try:
        with opener.open(url, form.encode(), timeout=30) as answer:
            page, url = answer.read().decode(), answer.url
    except urllib.error.HTTPError as error:
        return f"{username} was answered with {error.code} instead of a dashboard"
    if "/sign-in" in url or "/sign-out" not in page:
        return f"{username} was not signed in, but sent to {url}"
    return None


def run(checkout: Path, home: Path, *, labels: list[str], seconds: int) -> float:
    """Start, sign in as every role, stop; returns the seconds until it was ready."""
    began = time.monotonic()
    demo = Demo(checkout, home)
    demo.wait_until(
        lambda lines: any(map(ADDRESS.search, lines)) and len(sign_ins(lines, labels)) == len(labels),
        seconds=seconds,
    )
    address = next(match[0] for match in map(ADDRESS.search, demo.lines) if match)
    wait_for_answer(demo, address)
    ready = time.monotonic() - began
    for label, (username, password) in sign_ins(demo.lines, labels).items():
        if problem := browse(address, username, password):
            demo.fail(f"does not let the {label.lower()} sign in: {problem}")
        print(f"   signed in: {label} as {username}", flush=True)
    demo.stop()
    try:
        urllib.request.urlopen(address, timeout=2)
    except OSError:
        return ready
    raise SystemExit("FAILED: the address still answers after Ctrl-C.")


def wait_for_answer(demo: Demo, address: str) -> None:
    """The address is printed a moment before it answers."""
    for _ in range(100):
        try:
            with urllib.request.urlopen(address, timeout=10):
                return
        except urllib.error.HTTPError as error:
            demo.fail(f"answers with {error.code}")
        except OSError:
            time.sleep(0.1)
    demo.fail("printed an address that does not answer")


def main() -> None:
    """Run the demo twice."""
    checkout = Path(sys.argv[1]).resolve()
    roles = tomllib.loads((checkout / "config" / "roles.toml").read_text(encoding="utf-8"))["roles"]
    labels = [role["label"] for code, role in roles.items() if code != "console"]
    with tempfile.TemporaryDirectory() as home:
        first = run(checkout, Path(home), labels=labels, seconds=FIRST_START_SECONDS)
        second = run(checkout, Path(home), labels=labels, seconds=SECOND_START_SECONDS)
    print(f"The demo started in {first:.0f} s, and again in {second:.0f} s; every role signed in.")


if __name__ == "__main__":
    main()
