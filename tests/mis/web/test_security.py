"""The headers of files that the process itself serves, where nothing stands in front of it."""

from __future__ import annotations

from pathlib import Path

from flask import Flask

from mis.web import security


def test_a_file_carries_the_headers_of_every_answer(tmp_path: Path) -> None:
    (tmp_path / "icon.svg").write_text("<svg/>")
    app = Flask("files", static_folder=str(tmp_path))
    security.serve_files(app)
    with app.test_client().get("/static/icon.svg") as answer:
        headers = answer.headers
    assert (security.HEADERS | security.SECURE).items() <= dict(headers).items()
    assert "Access-Control-Allow-Origin" not in headers
