"""A list of households with the columns of the Vietnam Living Standards Survey: small, made up, and counted by hand.

The people are drawn so that ages lie on both sides of the pension age; `old` says how many heads are 65 or older,
counted from the written file as `awk` would, and not from what was meant to be written.
"""

from __future__ import annotations

import csv
import random
from pathlib import Path

COLUMNS = (
    "household_no", "head_sex", "head_age_years", "head_schooling_years", "head_is_farmer", "urban", "household_size",
    "ln_total_expenditure", "ln_medical_expenditure", "ln_food_expenditure", "ln_health_expenditure_12m", "commune_no",
)  # fmt: skip
PENSION_MINOR = 150_00


def write(path: Path, *, households: int = 240) -> Path:
    draw = random.Random(1998)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for number in range(1, households + 1):
            commune = 1 + number % 8
            logs = [f"{draw.uniform(6, 11):.6f}" for _ in range(4)]
            writer.writerow(
                [
                    f"VX{commune:03d}-{number:04d}", draw.choice(("female", "male")), draw.randint(19, 95),
                    draw.choice(("0.0", "4.0", "7.5", "12.0")), draw.choice(("yes", "no")),
                    draw.choice(("yes", "no")), draw.randint(1, 9), *logs, commune,
                ]
            )  # fmt: skip
    return path


def old(path: Path, *, age: int = 65) -> int:
    """What `awk -F, '$3 >= 65'` counts."""
    lines = path.read_text().splitlines()[1:]
    return sum(int(line.split(",")[2]) >= age for line in lines)
