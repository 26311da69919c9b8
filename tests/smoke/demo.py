"""`make demo` from a fresh clone, as a newcomer meets it: it starts, answers, signs everybody in, and stops cleanly.

    python tests/smoke/demo.py FOLDER-OF-THE-CLONE

Needs nothing but the standard library. Exits with 1 and the output of the demo when something is not as it should be.
"""

from __future__ import annotations

import http.cookiejar
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from pathlib import Path
from threading import Thread

STARTS_WITHIN = 900  # seconds; a fresh clone installs everything first
RESTARTS_WITHIN = 30
STOPS_WITHIN = 30
ADDRESS = re.compile(r"The demo runs at (http://\S+)")
PASSWORD = re.compile(r"with the password\s+(\S+)")
SOMEBODY = re.compile(r"^ {2}\S.*? {2,}([a-z]+\.[a-z]+)", re.MULTILINE)
TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')


class Demo:
    """A running `make demo`, with all that it has said."""

    def __init__(self, folder: Path) -> None:
        self.said: list[str] = []
        self.process = subprocess.Popen(
            ["make", "demo"], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            start_new_session=True, env=os.environ | {"PYTHONUNBUFFERED": "1"},
        )  # fmt: skip
        Thread(target=self._listen, daemon=True).start()

    @property
    def text(self) -> str:
        return "".join(self.said)

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(line)

    def wait_until_ready(self, *, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while "Ctrl-C stops it" not in self.text:
            assert self.process.poll() is None, "The demo ended before it was ready."
            assert time.monotonic() < deadline, f"The demo was not ready within {seconds} s."
            time.sleep(0.2)

    def stop(self) -> None:
        """What Ctrl-C does in a terminal: the whole group is interrupted."""
        os.killpg(self.process.pid, signal.SIGINT)
        self.process.wait(STOPS_WITHIN)


def sign_in(address: str, username: str, password: str) -> None:
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
    page = browser.open(f"{address}/sign-in", timeout=10).read().decode()
    token = TOKEN.search(page)
    assert token, "The sign-in page has no form token."
    fields = {"username": username, "password": password, "csrf_token": token[1]}
    with browser.open(f"{address}/sign-in", urllib.parse.urlencode(fields).encode(), timeout=10) as answer:
        assert answer.status == 200, answer.status
        assert "/sign-in" not in answer.url, f"{username} could not sign in."


def left_over(folder: Path) -> list[str]:
    """Processes that still run in the clone."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if process.joinpath("cwd").resolve() == folder and int(process.name) != os.getpid():
                found.append(process.joinpath("cmdline").read_text().replace("\0", " "))
        except OSError:
            continue
    return found


def try_out(folder: Path, *, seconds: float) -> None:
    demo = Demo(folder)
    try:
        demo.wait_until_ready(seconds=seconds)
        address, password = ADDRESS.search(demo.text), PASSWORD.search(demo.text)
        assert address and password, "The demo prints no address or no password."
        names = SOMEBODY.findall(demo.text)
        assert len(names) >= 7, f"The demo names only {names}."
        for name in names:
            sign_in(address[1], name, password[1])
        demo.stop()
        assert left_over(folder) == [], left_over(folder)
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", int(address[1].rpartition(":")[2]))) != 0, (
                "It still answers."
            )
    except BaseException:
        print(demo.text, file=sys.stderr)
        raise
    finally:
        if demo.process.poll() is None:
            os.killpg(demo.process.pid, signal.SIGKILL)
    print(f"{len(names)} people signed in; nothing is left running.")


def main() -> None:
    folder = Path(sys.argv[1]).resolve()
    for name in ("MIS_DATABASE_URL", "MIS_BROKER_URL", "MIS_INSTANCE_DIR", "MIS_ENVIRONMENT"):
        os.environ.pop(name, None)
    began = time.monotonic()
    try_out(folder, seconds=STARTS_WITHIN)
    print(f"The first run took {time.monotonic() - began:.0f} s.")
    began = time.monotonic()
    try_out(folder, seconds=RESTARTS_WITHIN)
    print(f"The second run took {time.monotonic() - began:.0f} s, with the data of the first.")


if __name__ == "__main__":
    main()
