"""A small application that shows every macro of the shell once: for the tests, and for looking at it.

``python -m tests.web.gallery`` serves it on port 5055.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from flask import Flask, flash, g, redirect, render_template, render_template_string, request
from flask.typing import ResponseReturnValue
from flask_wtf import CSRFProtect, FlaskForm
from jinja2 import ChoiceLoader, FileSystemLoader
from wtforms import (
    BooleanField,
    DateField,
    FileField,
    Form,
    FormField,
    IntegerField,
    RadioField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than its stubs
from wtforms.validators import InputRequired, Length

from mis.money import Money
from mis.web import charts, i18n, shell

TEMPLATES = Path(shell.__file__).parent / "templates"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)


class AddressForm(Form):
    """A form within a form."""

    street = StringField("Street", [Length(max=80)])


class HouseholdForm(FlaskForm):
    """One field of each kind."""

    groups = (("Where they live", ["area", "address"]), ("What they agreed to", ["consent", "note", "scan"]))

    name = StringField("Name of the head", [InputRequired("Enter the name."), Length(max=120)])
    born = DateField(
        "Born on", [InputRequired("Enter the date of birth.")], description="Day, month and year."
    )
    members = IntegerField("Members", [InputRequired("Enter how many live there.")])
    sex = RadioField(
        "Sex",
        [InputRequired("Choose one.")],
        choices=[SelectChoice("f", "Female"), SelectChoice("m", "Male")],
    )
    area = SelectField("Area", choices=[SelectChoice("1", "Alta"), SelectChoice("2", "Baja")])
    address = FormField(AddressForm, "Address")
    consent = BooleanField("Agrees that the facts are checked", description="Read the statement aloud first.")
    note = TextAreaField("Note", description="Nothing that is not needed.")
    scan = FileField("Signed statement")


class FilterForm(FlaskForm):
    """A filter bar."""

    q = StringField("Name or number")
    status = SelectField("Status", choices=[SelectChoice("", "Any"), SelectChoice("active", "Active")])
    since = DateField("Enrolled since")


@dataclass(frozen=True)
class Column:
    key: str
    label: str
    sortable: bool = True
    kind: str = "text"


@dataclass
class Listing:
    """What mis.web.listing gives to the list page."""

    title: str
    columns: Sequence[Column]
    rows: Sequence[Any]
    filters: Any = None
    sort: str = "name"
    direction: str = "asc"
    next_url: str | None = "?after=20"
    prev_url: str | None = None
    count_text: str = "12,345"
    export_urls: dict[str, str] = field(default_factory=lambda: {"csv": "/export", "xlsx": "/export"})
    bulk_actions: Sequence[tuple[str, str]] = (("Suspend", "/bulk"),)
    empty_hint: str | None = "Try fewer filters."


COLUMNS = (
    Column("number", "Number"),
    Column("name", "Head"),
    Column("area", "Area"),
    Column("members", "Members", kind="number"),
    Column("amount", "Monthly amount", kind="money"),
    Column("since", "Enrolled", kind="date"),
    Column("status", "Status", sortable=False, kind="status"),
)
NAMES = ("Amara Diallo", "José Núñez", "فاطمة الزهراء", "Nguyễn Thị Hoa", "Ofa Tuʻipulotu", "Mary O’Brien")
STATUSES = ("active", "suspended", "submitted", "rejected", "draft", "overdue")


def households(count: int) -> Listing:
    rows = [
        SimpleNamespace(
            id=n,
            url=f"/households/{n}",
            cells=(
                f"HH-{100000 + n * 7}",
                NAMES[n % 6],
                "Alta Verapaz" if n % 2 else None,
                n % 7 + 1,
                Money(125000 + n * 100, "KES"),
                date(2026, 1 + n % 12, 3),
                STATUSES[n % 6],
            ),
        )
        for n in range(count)
    ]
    return Listing("Households", COLUMNS, rows, filters=FilterForm(request.args, meta={"csrf": False}))


def offer(
    name: str, label: str, refusal: str | None = None, *, reason: str = "no", danger: bool = False
) -> Any:
    return SimpleNamespace(
        step=SimpleNamespace(name=name, label=label, reason=reason, danger=danger), refusal=refusal
    )


OFFERS = (
    offer("approve", "Approve"),
    offer("return", "Return", reason="required"),
    offer("cancel", "Cancel", danger=True),
    offer("close", "Close", "12 payments have no answer yet."),
)
CLAUSES = (
    {
        "outcome": "met",
        "sentence": "Is at least 65 years old",
        "article": "Art. 4(1)",
        "values": [("age", 71)],
    },
    {
        "outcome": "not_met",
        "sentence": "Receives no other pension",
        "article": "Art. 5",
        "values": [("other pension", "KES 1,200")],
        "reason": "HAS_PENSION",
    },
    {
        "outcome": "not_known",
        "sentence": "Lives in the country",
        "article": "Art. 4(2)",
        "values": [("since", None)],
    },
)
HISTORY = (
    SimpleNamespace(
        at=datetime(2026, 3, 4, 9, 30, tzinfo=UTC),
        who="Ana Officer",
        event="Address changed",
        why="Moved after the flood",
        changes=[("street", "Old Road 1", "New Road 2"), ("phone", None, "•••• 123")],
    ),
    SimpleNamespace(
        at=datetime(2026, 1, 2, 8, 0, tzinfo=UTC), who="Import", event="Registered", why=None, changes=[]
    ),
)
TASKS = (
    {"title": "Open the cycle", "status": "done", "url": "#"},
    {
        "title": "Compute entitlements",
        "status": "current",
        "url": "#",
        "hint": "About 2 minutes for 100,000 persons.",
    },
    {"title": "Submit for approval", "status": "blocked"},
)
WAITING = (
    {"title": "Cycle 2026-03 of the old-age pension", "url": "#", "hint": "Submitted by Ana", "count": 5312},
    {"title": "Grievance GR-1002", "url": "#", "due": date(2026, 3, 9), "overdue": True},
)
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def drawings() -> list[charts.Chart]:
    by_area = [
        ("Alta Verapaz", 5312),
        ("Baja Verapaz", 3120),
        ("El Progreso", 870),
        ("A district with a long name", 12),
    ]
    return [
        charts.bar_chart("Enrolled by area", by_area, unit="Persons", heading="Area"),
        charts.grouped_bar_chart(
            "By sex", ["Alta", "Baja"], [("Women", [120, 80]), ("Men", [100, 95])], heading="Area"
        ),
        charts.stacked_bar_chart(
            "Answers",
            ["January", "February"],
            [("Paid", [900, 950]), ("Failed", [40, 20]), ("Open", [60, 30])],
            heading="Month",
        ),
        charts.line_chart(
            "Paid per month",
            [(m, 90000 + 4100 * i) for i, m in enumerate(MONTHS)],
            unit="Payments",
            heading="Month",
        ),
    ]


def create_app(*, user: str | None = "Ana Officer") -> Flask:
    app = Flask("mis.web", static_folder="static", template_folder="templates")
    loaders = [FileSystemLoader(TEMPLATES), FileSystemLoader(Path(__file__).parent / "templates")]
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_loader = ChoiceLoader(loaders)
    app.config.update(SECRET_KEY="for tests only", TESTING=True)
    CSRFProtect(app)
    i18n.init_app(app)
    _pages(app)
    _frame(app)
    shell.init_app(
        app,
        may=lambda permission: permission != "nobody",
        waiting=lambda: 7,
        user_name=lambda: user,
        links=shell.Links(
            home="home",
            search="search",
            waiting="waiting",
            language="language",
            account="home",
            sign_in="home",
            sign_out="sign_out",
        ),
    )

    @app.after_request
    def policy(response: Any) -> Any:
        nonce = f"script-src 'self' 'nonce-{g.csp_nonce}'" if "csp_nonce" in g else "script-src 'self'"
        response.headers["Content-Security-Policy"] = POLICY.replace("script-src 'self'", nonce)
        return response

    return app


def _frame(app: Flask) -> None:
    shell.register_menu("registry", "Households", "listing", "home-2", "registry:household:read", 10)
    shell.register_menu(
        "registry", "Register a household", "form", "user-plus", "registry:household:create", 20
    )
    shell.register_menu("payments", "Cycles", "record", "calendar-event", "payments:cycle:read", 10)
    shell.register_menu("administration", "Hidden", "users", "users", "nobody", 10)


def _pages(app: Flask) -> None:
    @app.get("/")
    def home() -> str:
        figures = [
            {
                "label": "Households",
                "value": "12,345",
                "url": "/households",
                "icon": "home-2",
                "note": "+312 this month",
            },
            {"label": "Persons", "value": "54,321", "icon": "users"},
            {"label": "Paid in March", "value": "KES 6,640,000.00", "icon": "cash"},
            {"label": "Open grievances", "value": "14", "icon": "message-report", "note": "2 overdue"},
        ]
        tasks = [("Cycle 2026-03", TASKS)]
        return render_template("home.html", figures=figures, charts=drawings(), waiting=WAITING, tasks=tasks)

    @app.get("/households")
    def listing() -> str:
        empty = "none" in request.args
        return render_template("gallery/listing.html", listing=households(0 if empty else 20))

    @app.route("/households/new", methods=["GET", "POST"])
    def form() -> ResponseReturnValue:
        entry = HouseholdForm()
        if entry.validate_on_submit():
            flash("The household is registered.", "success")
            return redirect("/")
        return render_template("gallery/form.html", form=entry), 422 if entry.errors else 200

    @app.route("/record", methods=["GET", "POST"])
    def record() -> ResponseReturnValue:
        if request.method == "POST":
            flash(f"{request.form['step']} by {request.form.get('reason', '')}", "success")
            return redirect("/record")
        flash("Somebody else has approved this cycle a moment ago.", "warning")
        return render_template(
            "gallery/record.html", offers=OFFERS, clauses=CLAUSES, history=HISTORY, tasks=TASKS
        )

    _plain_pages(app)


def _plain_pages(app: Flask) -> None:
    @app.get("/live")
    def live() -> str:
        # Asks for itself once more, so that the nonce of a fragment is seen to be taken over by the page.
        if request.args["step"] == "1":
            again = '<div id="live" hx-get="/live?step=2" hx-trigger="load" hx-swap="outerHTML" {{ hx_nonce() }}></div>'
            return render_template_string(again)
        return '<div id="live">all parts done</div>'

    @app.get("/waiting")
    def waiting() -> str:
        return render_template("waiting.html", waiting=[])

    @app.get("/search")
    def search() -> str:
        results = [
            {"title": "Amara Diallo", "url": "#", "hint": "HH-100007, Alta Verapaz", "status": "active"}
        ]
        return render_template("search.html", query=request.args.get("q"), groups=[("Persons", results, "#")])

    @app.get("/users")
    def users() -> str:
        return ""

    @app.get("/problem/<int:status>")
    def problem(status: int) -> ResponseReturnValue:
        page = render_template(
            "errors/problem.html",
            status=status,
            message="Cycle 2026-03 is closed.",
            instead="Open a new cycle.",
            reference="ab12cd34",
        )
        return page, status

    @app.post("/language")
    def language() -> ResponseReturnValue:
        i18n.remember(request.form["language"])
        return redirect(request.form["next"])

    @app.post("/sign-out")
    def sign_out() -> ResponseReturnValue:
        return redirect("/")


if __name__ == "__main__":
    create_app().run(port=5055)
