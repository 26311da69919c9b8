"""The people of the demonstration: plainly fictional, always the same, and as untidy as a real registration drive.

They live in the Republic of Sample, bear the names of birds and trees, and are written into a CSV file that goes
through the same import as any other list. A few rows are wrong on purpose: somebody must see what a refusal looks like.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

FAMILY_NAMES = (
    "Acacia", "Albatross", "Baobab", "Bulbul", "Cassia", "Cedar", "Cormorant", "Cypress", "Dovetree",
    "Ebony", "Egret", "Finch", "Flamingo", "Guava", "Heron", "Hornbill", "Ibis", "Jacaranda", "Kestrel",
    "Kingfisher", "Linden", "Mangrove", "Marabou", "Moringa", "Neem", "Nightingale", "Oleander",
    "Osprey", "Palm", "Pelican", "Plover", "Rosewood", "Sandpiper", "Starling", "Sunbird", "Tamarind",
    "Teak", "Thrush", "Turaco", "Warbler", "Weaver", "Willow",
)  # fmt: skip
WOMEN = (
    "Abeni", "Amara", "Celia", "Dalia", "Eshe", "Farida", "Gala", "Hana", "Imani", "Jamila", "Kaya",
    "Leila", "Mira", "Nadia", "Olena", "Paloma", "Rania", "Safiya", "Talia", "Yara", "Zuri",
)  # fmt: skip
MEN = (
    "Amaro", "Bakari", "Chike", "Dario", "Emeka", "Farid", "Goran", "Hamid", "Idris", "Jomo", "Karim",
    "Lemuel", "Malik", "Nuru", "Omari", "Pablo", "Rafiq", "Samir", "Tariq", "Umar", "Yusuf",
)  # fmt: skip

FIELDS = (
    "household_no", "member_no", "commune_code", "address", "relationship", "given_name", "family_name", "sex",
    "birth_date", "national_id", "phone", "collector",
    "seeing", "hearing", "walking", "remembering", "self_care", "communicating",
    "urban", "rooms", "roof", "wall", "toilet", "electricity", "television", "refrigerator", "motorcycle",
)  # fmt: skip

Row = dict[str, str]


def write(path: Path, *, households: int, day: date, communes: list[str]) -> int:
    """Write the list of so many households as of `day`, and return how many persons stand in it."""
    draw = random.Random(2026)  # noqa: S311 - the same people each time
    count = 0
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, FIELDS)
        writer.writeheader()
        for number in range(1, households + 1):
            for member, row in enumerate(_household(draw, number, day, draw.choice(communes)), start=1):
                count += 1
                row["member_no"] = str(member)
                writer.writerow(_spoilt(draw, row) if draw.random() < 0.006 else row)
    return count


def _household(draw: random.Random, number: int, day: date, commune: str) -> Iterator[Row]:
    family, poor = draw.choice(FAMILY_NAMES), draw.random()
    common = {"household_no": f"D{number:05d}", "commune_code": commune} | _housing(draw, poor, number)
    # The first commune of each district is its town. In some households nobody wrote it down.
    common["urban"] = "" if draw.random() < 0.03 else "yes" if commune.endswith("1") else "no"
    head_sex = "f" if draw.random() < 0.3 else "m"
    head_age = min(94, max(19, round(draw.gauss(47, 17))))
    yield common | _person(draw, "head", family, head_sex, head_age, day) | {"collector": "primary"}
    if draw.random() < 0.72:
        yield common | _person(draw, "spouse", family, "m" if head_sex == "f" else "f", head_age - 4, day)
    for _ in range(draw.choice((0, 0, 1, 1, 2, 2, 3, 4))):
        age = max(0, min(head_age - 18, round(draw.triangular(0, 24, 4))))
        yield common | _person(draw, "child", family, draw.choice("fm"), age, day)
    if head_age < 60 and draw.random() < 0.22:
        yield common | _person(draw, "parent", family, draw.choice("ffm"), head_age + 24, day)


def _housing(draw: random.Random, poor: float, number: int) -> Row:
    def owns(chance: float) -> str:
        return "yes" if draw.random() < chance * poor * 1.5 else "no"

    return {
        "address": f"Plot {number}",
        "rooms": str(1 + round(poor * 4)),
        "roof": draw.choice(("thatch", "metal") if poor < 0.45 else ("metal", "tiles", "concrete")),
        "wall": draw.choice(("mud", "wood") if poor < 0.45 else ("wood", "brick", "concrete")),
        "toilet": draw.choice(("none", "latrine") if poor < 0.4 else ("latrine", "flush")),
        "electricity": owns(0.9),
        "television": owns(0.7),
        "refrigerator": owns(0.45),
        "motorcycle": owns(0.4),
    }


def _person(draw: random.Random, relationship: str, family: str, sex: str, age: int, day: date) -> Row:
    born = day - timedelta(days=round(age * 365.25) + draw.randrange(365))
    precision = draw.random()
    written = (
        str(born.year) if precision < 0.12 else f"{born:%Y-%m}" if precision < 0.15 else born.isoformat()
    )
    grown = age >= 16
    return {
        "relationship": relationship,
        "given_name": draw.choice(WOMEN if sex == "f" else MEN),
        "family_name": family,
        "sex": sex,
        "birth_date": written,
        "national_id": f"XS{draw.randrange(10**8):08d}" if grown and draw.random() < 0.85 else "",
        "phone": f"+1202555{draw.randrange(100, 200):04d}" if grown and draw.random() < 0.5 else "",
        "collector": "",
    } | _functioning(draw, age)


def _functioning(draw: random.Random, age: int) -> Row:
    """The six answers of the Washington Group Short Set: 1 no difficulty … 4 cannot do at all; some were not asked."""
    if age < 5 or draw.random() < 0.06:
        return dict.fromkeys(
            ("seeing", "hearing", "walking", "remembering", "self_care", "communicating"), ""
        )
    risk = 0.02 + max(0, age - 45) * 0.004
    return {
        name: str(draw.choice((2, 2, 3, 4)) if draw.random() < risk else 1)
        for name in ("seeing", "hearing", "walking", "remembering", "self_care", "communicating")
    }


def _spoilt(draw: random.Random, row: Row) -> Row:
    """The row with one of the mistakes that clerks make at the end of a long day."""
    mistakes = (
        {"birth_date": "1987-02-30"},
        {"sex": "?"},
        {"commune_code": "XX-Z9"},
        {"given_name": "", "family_name": ""},
    )
    return row | draw.choice(mistakes)
