"""A demo as `mis demo` starts it: web and worker as processes of their own, on a fresh database, stopped by SIGINT."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, Page

from mis.db import make_engine
from mis.demo import office
from mis.demo.office import Colleague
from tests import chromium
from tests.conftest import SERVER

browser = chromium.browser

ROOT = Path(__file__).resolve().parents[2]
_DEMO = (sys.executable, "-c", "from mis.cli import main; main()", "demo")
_STARTS_WITHIN = 180
SignedIn = Callable[..., Any]


@contextmanager
def _database(folder: Path) -> Iterator[dict[str, str]]:
    """Where the demo keeps its data: in its folder, or in a database of its own on the server of the tests."""
    if not SERVER:
        yield {}
        return
    name = f"mis_demo_{os.getpid()}_{folder.name.replace('-', '_')}"
    server = make_engine(SERVER).execution_options(isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.exec_driver_sql(f'CREATE DATABASE "{name}"')
    yield {"MIS_DATABASE_URL": sa.make_url(SERVER).set(database=name).render_as_string(hide_password=False)}
    with server.connect() as connection:
        connection.exec_driver_sql(f'DROP DATABASE "{name}" WITH (FORCE)')
    server.dispose()


@pytest.fixture(scope="module")
def demo(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a running demo."""
    folder = tmp_path_factory.mktemp("demo")
    clean = {name: value for name, value in os.environ.items() if not name.startswith("MIS_")}
    with _database(folder) as database:
        process = subprocess.Popen(
            [*_DEMO, "--households", "120", "--port", str(_free_port())],
            cwd=ROOT, env=clean | database | {"MIS_INSTANCE_DIR": str(folder)},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        try:
            yield _address(process)
        finally:
            process.send_signal(signal.SIGINT)
            code = process.wait(60)
            assert process.stdout is not None
            process.stdout.close()
    assert code == 0


@pytest.fixture
def signed_in(browser: Browser, demo: str) -> SignedIn:
    """`with signed_in(colleague, …browser settings) as page`, where no page may complain."""

    @contextmanager
    def open_page(colleague: Colleague, **settings: Any) -> Iterator[Page]:
        with browser.new_context(**{"base_url": demo, "locale": "en"} | settings) as context:
            page = context.new_page()
            page.set_default_timeout(15_000)
            complaints: list[str] = []
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.goto("/sign-in")
            page.fill("#username", colleague.username)
            page.fill("#password", office.PASSWORD)
            page.press("#password", "Enter")
            page.wait_for_url(lambda address: "sign-in" not in address)
            yield page
            assert complaints == []

    return open_page


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _address(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    said: list[str] = []
    deadline = time.monotonic() + _STARTS_WITHIN
    for line in process.stdout:
        said.append(line)
        if (found := re.search(r"The demo runs at (http://\S+)", line)) is not None:
            return found[1]
        assert time.monotonic() < deadline, "".join(said)
    raise AssertionError("The demo ended: " + "".join(said))
