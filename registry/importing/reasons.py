"""Why a row is refused: codes that are counted, and words for people."""

from __future__ import annotations

# Why a row is refused: the code that is counted, and the words for it.
REASONS = {
    "missing_value": "A required value is missing",
    "no_name": "Neither a given name nor a family name",
    "unknown_value": "A value that the mapping does not know",
    "bad_value": "A value that this field cannot have",
    "bad_date": "Not a date",
    "impossible_date": "A date that cannot be",
    "bad_number": "Not an identity or telephone number",
    "bad_text": "Characters that cannot be read or stored",
    "too_long": "A cell is too long",
    "too_many_cells": "More cells than the header has columns",
    "unknown_area": "An area that is not known, or outside those you work in",
    "duplicate_key": "The same key stands in an earlier row",
    "duplicate_number": "The same identity number stands in an earlier row",
    "number_taken": "The identity number belongs to somebody already",
    "known_otherwise": "Already registered with other values",
    "household_known": "The household is registered already",
    "head_count": "The household has no head, or several",
    "household_refused": "Another row of the household was refused",
}


class Problem(Exception):
    """What is wrong with a value: a code of REASONS, and a sentence."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code, self.sentence = code, sentence
