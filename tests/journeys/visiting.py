"""A visitor of the pages who has no screen: reads what is there, follows links, fills in forms and presses buttons.

He finds fields by their labels and buttons by their words, as people do, and sends everything that the form holds,
hidden fields included. What a page does not offer, he cannot do.
"""

from __future__ import annotations

import io
from typing import Any
from urllib.parse import urlsplit

import lxml.html
from flask import Flask
from lxml.html import FormElement, HtmlElement
from werkzeug.test import TestResponse


class Visitor:
    """Somebody who is signed in, on one page at a time."""

    def __init__(self, app: Flask, username: str, password: str) -> None:
        self.client = app.test_client()
        self.answer: TestResponse | None = None
        self.address = ""
        self.open("/sign-in")
        self.press("Sign in", User_name=username, Password=password)

    @property
    def page(self) -> HtmlElement:
        """The page as it is."""
        assert self.answer is not None
        return lxml.html.document_fromstring(self.answer.text)

    @property
    def text(self) -> str:
        """The words of the content, in one line."""
        main = self.page.find(".//main")
        return " ".join((main if main is not None else self.page).text_content().split())

    def open(self, address: str, *, status: int = 200) -> Visitor:
        """Open an address, following where it leads."""
        answer = self.client.get(address, buffered=True)
        return self._arrive(address, answer, status=status)

    def follow(self, words: str, *, status: int = 200) -> Visitor:
        """Follow the link with these words."""
        links = [link for link in self.page.iter("a") if words in _words(link)]
        assert links, f"There is no link “{words}” on {self.address}: {self.links()}"
        return self.open(links[0].get("href"), status=status)

    def open_row(self, words: str) -> Visitor:
        """Open the first record of a list whose row has these words."""
        rows = [row for row in self.page.iter("tr") if words in _words(row) and row.find(".//a") is not None]
        assert rows, f"There is no row “{words}” on {self.address}: {self.text[:1000]}"
        return self.open(rows[0].find(".//a").get("href"))

    def links(self) -> list[str]:
        """The words of every link of the page."""
        return [_words(link) for link in self.page.iter("a")]

    def buttons(self) -> list[str]:
        """The words of every button of the page."""
        return [_words(button) for button in self.page.iter("button", "input") if _is_button(button)]

    def press(self, words: str, *, status: int = 200, nth: int = 0, **fields: Any) -> Visitor:
        """Fill in the form around a button and press it.

        Fields are named by their label (with underscores for spaces) or by their name. A file is (name, content).
        """
        button = self._button(words, nth=nth)
        form = next(parent for parent in button.iterancestors("form"))
        values, files = self._values(form), {}
        if button.get("name"):
            values.append((button.get("name"), button.get("value") or ""))
        for label, value in fields.items():
            name = self._name(form, label)
            values = [(one, old) for one, old in values if one != name]
            if isinstance(value, tuple):
                files[name] = (io.BytesIO(value[1]), value[0])
            elif isinstance(value, list):
                values += [(name, str(one)) for one in value]
            elif value is not None:
                values.append((name, str(value)))
        return self._send(form, values, files, status=status)

    def _send(
        self, form: FormElement, values: list[tuple[str, str]], files: dict[str, Any], *, status: int
    ) -> Visitor:
        address = form.get("action") or self.address
        if (form.get("method") or "get").lower() == "get":
            return self._arrive(
                address, self.client.get(address, query_string=values, buffered=True), status=status
            )
        data: dict[str, Any] = {}
        for name, value in values:
            data.setdefault(name, []).append(value)
        kind = "multipart/form-data" if files else "application/x-www-form-urlencoded"
        return self._arrive(
            address,
            self.client.post(address, data=data | files, content_type=kind, buffered=True),
            status=status,
        )

    def _arrive(self, address: str, answer: TestResponse, *, status: int) -> Visitor:
        while answer.status_code in (301, 302, 303, 307, 308):
            address = answer.headers["Location"]
            answer = self.client.get(address, buffered=True)
        self.answer, self.address = answer, urlsplit(address)._replace(scheme="", netloc="").geturl()
        said = self.text[:600] if answer.mimetype == "text/html" else answer.mimetype
        assert answer.status_code == status, f"{address} answered {answer.status_code}: {said}"
        return self

    def _button(self, words: str, *, nth: int) -> HtmlElement:
        found = [
            button
            for button in self.page.iter("button", "input")
            if _is_button(button)
            and words in _words(button)
            and any(True for _ in button.iterancestors("form"))
        ]
        # The one that says just this is meant before the one that says more.
        found.sort(key=lambda button: _words(button) != words)
        assert len(found) > nth, f"There is no button “{words}” on {self.address}: {self.buttons()}"
        return found[nth]

    @staticmethod
    def _values(form: FormElement) -> list[tuple[str, str]]:
        return [(name, value) for name, value in form.form_values() if isinstance(value, str)]

    def _name(self, form: FormElement, label: str) -> str:
        names = {element.get("name") for element in form.iter("input", "select", "textarea")}
        if label in names:
            return label
        wanted = label.replace("_", " ").casefold()
        for element in form.iter("label", "legend"):
            if _label(element).casefold() == wanted:
                return _field_of(form, element)
        known = sorted(filter(None, (_label(element) for element in form.iter("label", "legend"))))
        raise AssertionError(
            f"There is no field “{wanted}” on {self.address}: {known}, {sorted(filter(None, names))}"
        )


def _field_of(form: FormElement, element: HtmlElement) -> str:
    if element.tag == "label" and element.get("for"):
        return str(form.xpath(".//*[@id=$id]", id=element.get("for"))[0].get("name"))
    around = element if element.tag == "label" else element.getparent()
    assert around is not None
    return str(around.xpath(".//*[self::input or self::select or self::textarea]")[0].get("name"))


def _label(element: HtmlElement) -> str:
    """The words of a label, without the star of what must be filled in."""
    return _words(element).partition("*")[0].strip().removesuffix("(required)").strip()


def _is_button(element: HtmlElement) -> bool:
    return element.tag == "button" or element.get("type") in ("submit", "image")


def _words(element: HtmlElement) -> str:
    return " ".join((element.text_content() or element.get("value") or "").split())
