"""Areas come from a list (code, name, kind, parent), in any order, as often as one likes.

The list is checked as a whole before anything is written: a parent that is not there, or a circle, is refused with its
row number. The closure table (“here and below”) is derived from the parents, in SQL.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import sqlalchemy as sa

from mis import audit
from mis.calendar import parse_date
from mis.db import db
from mis.errors import Invalid, Refusal
from registry.models import Area, AreaClosure

REQUIRED = ("code", "name", "kind", "parent_code")
OPTIONAL = ("valid_from", "valid_to")
_LONGEST = 200


@dataclass(frozen=True)
class Line:
    """One area of the list; `row_no` as a spreadsheet counts, the header being row 1."""

    row_no: int
    code: str
    name: str
    kind: str
    parent_code: str | None
    valid_from: date | None = None
    valid_to: date | None = None


def load_file(path: Path) -> dict[str, int]:
    """Load areas from a UTF-8 CSV file with the columns of REQUIRED (and OPTIONAL), as `load` does."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return load(_lines(csv.DictReader(file, strict=True)))
    except UnicodeDecodeError:
        raise Invalid(f"{path.name} is not UTF-8 text. Save it as CSV in UTF-8.", field="file") from None
    except csv.Error as error:
        raise Invalid(f"{path.name} is not a CSV file that can be read: {error}.", field="file") from None


def load(lines: Iterable[Line]) -> dict[str, int]:
    """Add and change areas; returns {added, changed, unchanged}. Loading the same list again changes nothing.

    Raises Invalid with the row number for a code that stands twice, a parent that is not known, or a circle.
    """
    by_code: dict[str, Line] = {}
    for line in lines:
        if line.code in by_code:
            raise _at(line, f"the code {line.code} stands already in row {by_code[line.code].row_no}.")
        by_code[line.code] = line
    if not by_code:
        raise Invalid("The list has no areas.", field="file")
    known = {area.code: area for area in db.session.scalars(sa.select(Area))}
    codes_by_id = {area.id: area.code for area in known.values()}
    parents = {code: codes_by_id.get(area.parent_id or 0) for code, area in known.items()}
    parents |= {code: line.parent_code for code, line in by_code.items()}
    counts = {"added": 0, "changed": 0, "unchanged": 0}
    level = 0
    for line in _parents_first(by_code, parents):
        if (deeper := _level(line.code, parents)) > level:
            db.session.flush()  # The parents have their numbers from here on.
            level = deeper
        counts[_put(line, known, level=level)] += 1
    _correct_levels(known, parents)
    close()
    return counts


def ensure(code: str, *, name: str, kind: str = "area", parent_code: str | None = None) -> Area:
    """The area with this code, made if it is not there. Its parent must be there. Does not close: see `close`."""
    area = by_code(code)
    if area is not None:
        return area
    parent = by_code(parent_code) if parent_code else None
    if parent_code and parent is None:
        raise Invalid(f"The area {parent_code}, in which {code} lies, is not known.", field="area")
    area = Area(
        code=code, name=name, kind=kind,
        level=parent.level + 1 if parent else 0, parent_id=parent.id if parent else None,
    )  # fmt: skip
    db.session.add(area)
    db.session.flush()
    return area


def by_code(code: str) -> Area | None:
    """The area with this code, if there is one."""
    return db.session.scalar(sa.select(Area).where(Area.code == code))


def children(area: Area | None) -> Sequence[Area]:
    """The areas directly below one, or the topmost areas, by name."""
    parent = Area.parent_id.is_(None) if area is None else Area.parent_id == area.id
    return db.session.scalars(sa.select(Area).where(parent).order_by(Area.name, Area.code)).all()


def above(area: Area) -> Sequence[Area]:
    """The areas above one, the topmost first."""
    return db.session.scalars(
        sa.select(Area)
        .join(AreaClosure, AreaClosure.ancestor_id == Area.id)
        .where(AreaClosure.descendant_id == area.id, AreaClosure.depth > 0)
        .order_by(AreaClosure.depth.desc())
    ).all()


def close() -> None:
    """Derive the closure anew: each area with itself and all that lie below it."""
    table, area = AreaClosure.__table__, Area.__table__
    db.session.flush()
    pairs = sa.select(
        area.c.id.label("ancestor_id"), area.c.id.label("descendant_id"), sa.literal(0).label("depth")
    )
    below = pairs.cte("below", recursive=True)
    below = below.union_all(
        sa.select(below.c.ancestor_id, area.c.id, below.c.depth + 1).join(
            area, area.c.parent_id == below.c.descendant_id
        )
    )
    with audit.unaudited("derived from area, which is audited"):
        db.session.execute(sa.delete(AreaClosure))
        db.session.execute(
            sa.insert(AreaClosure).from_select(
                list(table.columns.keys()),
                sa.select(below.c.ancestor_id, below.c.descendant_id, below.c.depth),
            )
        )


def _lines(reader: csv.DictReader[str]) -> Iterable[Line]:
    header = [name.strip() for name in reader.fieldnames or ()]
    missing = [name for name in REQUIRED if name not in header]
    if missing:
        raise Invalid(f"The list lacks the columns: {', '.join(missing)}.", field="file")
    if len(set(header)) < len(header):
        raise Invalid("A column of the list stands twice.", field="file")
    reader.fieldnames = header
    for row_no, row in enumerate(reader, start=2):
        try:
            yield _line(row_no, {name: (row.get(name) or "").strip() for name in (*REQUIRED, *OPTIONAL)})
        except Refusal as refusal:
            raise Invalid(f"Row {row_no}: {refusal.sentence}", field="file") from None


def _line(row_no: int, row: Mapping[str, str]) -> Line:
    for name in ("code", "name", "kind"):
        if not row[name]:
            raise Invalid(f"the {name} is missing.")
    for name, text in row.items():
        if len(text) > _LONGEST or "\x00" in text:
            raise Invalid(f"the {name} is too long or holds a character that cannot be stored.")
    days = {name: parse_date(row[name]) if row[name] else None for name in OPTIONAL}
    return Line(row_no, row["code"], row["name"], row["kind"], row["parent_code"] or None, **days)


def _parents_first(lines: Mapping[str, Line], parents: Mapping[str, str | None]) -> list[Line]:
    for line in lines.values():
        _refuse_lost(line, parents)
    return sorted(lines.values(), key=lambda line: _level(line.code, parents))


def _refuse_lost(line: Line, parents: Mapping[str, str | None]) -> None:
    """Walk from an area to the top; on the way there is no unknown parent and no area twice."""
    seen, code = [line.code], line.parent_code
    while code is not None:
        if code in seen:
            raise _at(line, f"{' → '.join([*seen, code])} is a circle: no area lies within itself.")
        if code not in parents:
            raise _at(line, f"the parent {code} is neither in the list nor known already.")
        seen.append(code)
        code = parents[code]


def _level(code: str, parents: Mapping[str, str | None]) -> int:
    parent = parents[code]
    return 0 if parent is None else _level(parent, parents) + 1


def _put(line: Line, known: dict[str, Area], *, level: int) -> str:
    area = known.get(line.code)
    values = {
        "name": line.name, "kind": line.kind, "level": level,
        "parent_id": known[line.parent_code].id if line.parent_code else None,
        "valid_from": line.valid_from, "valid_to": line.valid_to,
    }  # fmt: skip
    if area is None:
        area = known[line.code] = Area(code=line.code, **values)
        db.session.add(area)
        return "added"
    if all(getattr(area, name) == value for name, value in values.items()):
        return "unchanged"
    for name, value in values.items():
        setattr(area, name, value)
    return "changed"


def _correct_levels(known: Mapping[str, Area], parents: Mapping[str, str | None]) -> None:
    """An area that moved takes along those below it that the list does not name."""
    for code, area in known.items():
        area.level = _level(code, parents)


def _at(line: Line, sentence: str) -> Invalid:
    return Invalid(f"Row {line.row_no}: {sentence}", field="file")
