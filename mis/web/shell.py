"""What stands around every page: the menu, the trail of crumbs, the language, the count of what waits for me.

Each room adds its own items with ``register_menu`` next to its blueprint. The shell knows no room: whether an
item is shown is asked of the predicate given to ``init_app``, and an item that leads nowhere stops the start.
"""

import hashlib
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache, cached_property, partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from flask import Flask, current_app, g, request, url_for
from flask_babel import lazy_gettext as _l
from markupsafe import Markup

from mis.web import fields, i18n, looks

THEMES = {
    "light": (_l("Light"), "sun"),
    "dark": (_l("Dark"), "moon"),
    "auto": (_l("As the device"), "device-desktop"),
}

# Query arguments that say where a page of a list begins.
CURSORS = ("after", "before")

# The order of the delivery chain; a room asks for its section by key.
SECTIONS = {
    "work": _l("My work"),
    "registry": _l("Registry"),
    "eligibility": _l("Schemes and eligibility"),
    "payments": _l("Payments"),
    "grievances": _l("Grievances"),
    "oversight": _l("Oversight"),
    "administration": _l("Administration"),
}


@dataclass(frozen=True)
class MenuItem:
    """One item of the side menu, as a room registered it."""

    section: str
    label: Any  # a lazy string: it is translated at each rendering
    endpoint: str
    icon: str  # a symbol of static/vendor/icons/sprite.svg
    permission: str | None  # None: for everyone who is signed in
    order: int


@dataclass(frozen=True)
class Entry:
    """A menu item as one user sees it on one page."""

    label: str
    url: str
    icon: str
    active: bool


@dataclass(frozen=True)
class Links:
    """The endpoints that the frame of the page itself leads to."""

    home: str = "web.home"
    search: str = "web.search"  # GET ?q=
    waiting: str = "web.waiting"
    language: str = "web.language"  # POST language=, next=
    account: str = "accounts.profile"
    sign_in: str = "accounts.sign_in"
    sign_out: str = "accounts.sign_out"  # POST


@dataclass
class Frame:
    """What costs a query is asked only by the page that shows it: an error page must not need the database."""

    _may: Callable[[str], bool]
    _waiting: Callable[[], int]
    _user_name: Callable[[], str | None]

    @cached_property
    def user_name(self) -> str | None:
        return self._user_name()

    @cached_property
    def menu(self) -> list[tuple[str, list[Entry]]]:
        return menu(may=self._may) if self.user_name else []

    @cached_property
    def waiting_count(self) -> int:
        return self._waiting() if self.user_name else 0


_items: dict[str, MenuItem] = {}
_doors: dict[str, Any] = {}


def register_menu(
    section: str, label: Any, endpoint: str, icon: str, permission: str | None, order: int = 50
) -> None:
    """Add an item to the side menu; registering the same endpoint again replaces it (apps are made many times)."""
    assert section in SECTIONS, section
    assert icon in icons(), f"{icon} is not in the sprite: add it to vendor.lock.json and fetch again"
    _items[endpoint] = MenuItem(section, label, endpoint, icon, permission, order)


def register_door(label: Any, endpoint: str) -> None:
    """Show the way to a page that needs no account, below the form for signing in."""
    _doors[endpoint] = label


def doors() -> list[tuple[str, str]]:
    """Label and address of each page that needs no account."""
    return [(str(label), url_for(endpoint)) for endpoint, label in _doors.items()]


def init_app(
    app: Flask,
    *,
    may: Callable[[str], bool],
    waiting: Callable[[], int],
    user_name: Callable[[], str | None] = lambda: None,
    links: Links | None = None,
) -> None:
    """Give every template what the frame needs. Called last, when all blueprints are in place."""
    places = links or Links()
    register_menu("work", _l("Home"), places.home, "home", None, 1)
    register_menu("work", _l("Waiting for me"), places.waiting, "bell", None, 2)
    _refuse_dead_ends(app, places)

    def frame() -> dict[str, Any]:
        locale = i18n.current()
        return {
            "frame": Frame(may, waiting, user_name),
            "crumbs": [],
            "locale": str(locale),
            "direction": i18n.direction(locale),
            "languages": i18n.LANGUAGES,
            "themes": THEMES,
            "links": places,
            "release": release(),
        }

    app.context_processor(frame)
    app.jinja_env.globals.update(asset=asset, address=address, doors=doors, fields=fields, look=looks.look)
    app.jinja_env.globals.update(way=partial(way, may=may))
    app.jinja_env.globals.update(csp_nonce=csp_nonce, hx_nonce=hx_nonce)


def menu(*, may: Callable[[str], bool]) -> list[tuple[str, list[Entry]]]:
    """Sections with the items that this user may open; a section without any is left out."""
    shown = [item for item in _items.values() if item.permission is None or may(item.permission)]
    here = _active(shown)
    by_section: dict[str, list[Entry]] = {}
    for item in sorted(
        shown, key=lambda item: (list(SECTIONS).index(item.section), item.order, item.endpoint)
    ):
        entry = Entry(str(item.label), url_for(item.endpoint), item.icon, item is here)
        by_section.setdefault(item.section, []).append(entry)
    return [(str(SECTIONS[key]), entries) for key, entries in by_section.items()]


def _active(items: Iterable[MenuItem]) -> MenuItem | None:
    """The item whose address is the longest beginning of this page's: a household's page belongs to Households."""
    here = request.path.rstrip("/") + "/"
    beginnings = [(url_for(item.endpoint).rstrip("/") + "/", item) for item in items]
    matching = [
        (url, item) for url, item in beginnings if here == url or (url != "/" and here.startswith(url))
    ]
    return max(matching, key=lambda pair: len(pair[0]), default=(None, None))[1]


def _refuse_dead_ends(app: Flask, links: Links) -> None:
    wanted = {item.endpoint for item in _items.values()} | _doors.keys() | set(vars(links).values())
    missing = sorted(wanted - app.view_functions.keys())
    assert not missing, f"the menu leads to endpoints that do not exist: {', '.join(missing)}"


@cache
def icons() -> frozenset[str]:
    """The names of the icons in the sprite."""
    sprite = (Path(__file__).parent / "static" / "vendor" / "icons" / "sprite.svg").read_text(
        encoding="utf-8"
    )
    return frozenset(part.partition('"')[0] for part in sprite.split('<symbol id="')[1:])


@cache
def release() -> str:
    """The version of the product, for the foot of the page."""
    try:
        return version("social-protection-mis")
    except PackageNotFoundError:  # run from a folder without installing
        return ""


def way(endpoint: str, *, may: Callable[[str], bool], **values: Any) -> str | None:
    """The address of a page that the reader may open; None is no link, rather than one that ends in a refusal."""
    permission: str = getattr(current_app.view_functions[endpoint], "mis_permission", None) or ""
    asks_for_one = permission.count(":") == 2
    return None if asks_for_one and not may(permission) else url_for(endpoint, **values)


def asset(filename: str) -> str:
    """The address of a static file, changing with its content, so that browsers may keep it for ever."""
    folder = current_app.static_folder
    assert folder is not None
    return url_for("static", filename=filename, v=_fingerprint(Path(folder) / filename))


def address(**changes: str | None) -> str:
    """This page's address with some of its query changed; a new order starts at the first page again."""
    query = request.args.to_dict(flat=False)
    for cursor in CURSORS:
        query.pop(cursor, None)
    query |= {name: [value] for name, value in changes.items() if value is not None}
    return f"{request.path}?{urlencode(query, doseq=True)}"


@cache
def _fingerprint(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def csp_nonce() -> str:
    """The nonce of this response, made on first use; the security headers announce it (``g.csp_nonce``)."""
    if "csp_nonce" not in g:
        g.csp_nonce = secrets.token_urlsafe(16)
    return str(g.csp_nonce)


def hx_nonce() -> Markup:
    """The attribute every element with hx- attributes must carry, or hx-csp takes them away."""
    return Markup('hx-nonce="{}"').format(csp_nonce())
