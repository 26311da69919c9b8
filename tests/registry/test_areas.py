"""Areas come from a list, in any order and as often as one likes."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from mis.db import MisSession
from mis.errors import Invalid
from registry import areas
from registry.models import Area, AreaClosure

HEADER = "code,name,kind,parent_code,valid_from\n"


def listed(tmp_path: Path, *lines: str, header: str = HEADER) -> Path:
    path = tmp_path / "areas.csv"
    path.write_text(header + "\n".join(lines) + "\n", encoding="utf-8-sig")
    return path


def closure(session: MisSession) -> set[tuple[str, str, int]]:
    above, below = sa.orm.aliased(Area), sa.orm.aliased(Area)
    found = session.execute(
        sa.select(above.code, below.code, AreaClosure.depth)
        .join(above, above.id == AreaClosure.ancestor_id)
        .join(below, below.id == AreaClosure.descendant_id)
    )
    return {(one, other, depth) for one, other, depth in found}


def test_areas_are_loaded_in_any_order_and_know_what_lies_below(work: MisSession, tmp_path: Path):
    path = listed(tmp_path, "V,Village,village,D,2020-01-01", "C,Country,country,,", "D,District,district,C,")
    assert areas.load_file(path) == {"added": 3, "changed": 0, "unchanged": 0}
    assert closure(work) == {
        ("C", "C", 0),
        ("D", "D", 0),
        ("V", "V", 0),
        ("C", "D", 1),
        ("D", "V", 1),
        ("C", "V", 2),
    }
    assert dict(work.execute(sa.select(Area.code, Area.level)).all()) == {"C": 0, "D": 1, "V": 2}


def test_the_same_list_again_changes_nothing(work: MisSession, tmp_path: Path):
    path = listed(tmp_path, "C,Country,country,,", "D,District,district,C,")
    areas.load_file(path)
    before = closure(work)
    assert areas.load_file(path) == {"added": 0, "changed": 0, "unchanged": 2}
    assert closure(work) == before


def test_an_area_that_moves_takes_along_what_lies_below(work: MisSession, tmp_path: Path):
    areas.load_file(listed(tmp_path, "A,A,country,,", "B,B,country,,", "D,D,district,A,", "V,V,village,D,"))
    assert areas.load_file(listed(tmp_path, "D,D,district,B,"))["changed"] == 1
    assert {("B", "V", 2), ("B", "D", 1)} <= closure(work) and ("A", "V", 2) not in closure(work)


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        (["A,A,x,B,", "B,B,x,A,"], "Row 2: A → B → A is a circle"),
        (["A,A,x,A,"], "Row 2: A → A is a circle"),
        (["A,A,x,,", "B,B,x,NO,"], "Row 3: the parent NO is neither in the list nor known"),
        (["A,A,x,,", "A,A,x,,"], "Row 3: the code A stands already in row 2"),
        (["A,,x,,"], "Row 2: the name is missing"),
        (["A,A,x,,1 May"], "Row 2: “1 May” is not a date"),
        ([], "The list has no areas"),
    ],
)
def test_a_wrong_list_is_refused_with_its_row_and_nothing_is_kept(
    work: MisSession, tmp_path: Path, lines: list[str], sentence: str
):
    with pytest.raises(Invalid, match=sentence):
        areas.load_file(listed(tmp_path, *lines))
    assert work.scalar(sa.select(sa.func.count(Area.id))) == 0


def test_a_circle_through_what_is_known_already_is_seen(work: MisSession, tmp_path: Path):
    areas.load_file(listed(tmp_path, "A,A,x,,", "B,B,x,A,"))
    with pytest.raises(Invalid, match="circle"):
        areas.load_file(listed(tmp_path, "A,A,x,B,"))


def test_what_is_no_list_of_areas_is_refused(work: MisSession, tmp_path: Path):
    with pytest.raises(Invalid, match="lacks the columns: kind, parent_code"):
        areas.load_file(listed(tmp_path, "A,A", header="code,name\n"))
    path = tmp_path / "picture.png"
    path.write_bytes(b"\x89PNG\xff\xfe\x00")
    with pytest.raises(Invalid, match=r"picture\.png"):
        areas.load_file(path)
