"""The statement as it is read from a ticket service, and written out as a table."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import translation

from controlplane.systems import settlement


@pytest.mark.parametrize("before", ["", " ", "\u3000", "\n", "\r\n", "\t", "\n \t"])
@pytest.mark.parametrize("sign", "=+-@＝＋－＠")
def test_what_looks_like_a_formula_is_text_in_a_table(sign: str, before: str) -> None:
    name = f"{before}{sign}HYPERLINK(1)"
    assert settlement.harmless(name) == f"'{name}"


@pytest.mark.parametrize("text", ["", "김하나", "R석", "A-1", "1+1", "'=1"])
def test_other_text_stays_as_it_is(text: str) -> None:
    assert settlement.harmless(text) == text


ANSWER = {
    "as_of": "2026-11-20T10:00:00+09:00",
    "sales_close_at": "2026-11-20T10:00:00+09:00",
    "is_final": True,
    "lines": [{"performance_id": "p1", "grade": "R", "sold": 2, "sold_krw": 300_000, "given_back": 0, "given_back_krw": 0}],
    **dict.fromkeys(("captured_krw", "refunded_krw", "fees_krw", "kept_krw", "compensation_krw"), 0),
}
LATE = dict.fromkeys(("captured_krw", "refunded_krw", "fees_krw", "compensation_krw"), 0)


def table(answer: dict[str, Any]) -> list[str]:
    with translation.override("en"):
        return settlement.as_csv(settlement.read(answer), title="강변", starts={}).removeprefix(settlement.BOM).splitlines()


def test_what_is_due_at_the_door_is_in_the_table() -> None:
    rows = table(ANSWER | {"due_krw": 300_000, "after_close": LATE | {"due_krw": -150_000, "given_back": 1}})
    assert "p1,R,2,300000,0,0,2,300000" in rows
    assert rows[rows.index("After sales closed") - 3 :] == [
        "Due at the door,300000",
        '"Compensation owed to buyers, outside the payment provider",0',
        "",
        "After sales closed",
        "Tickets returned,1",
        "Due at the door,-150000",
    ]


def test_what_the_door_took_is_told_from_what_is_due_there() -> None:
    at_door = {"taken_at_door_krw": 300_000, "to_give_back_at_door_krw": 150_000}
    rows = table(ANSWER | {"due_krw": 150_000} | at_door | {"after_close": LATE | {"due_krw": -150_000, "taken_at_door_krw": 150_000}})
    first = rows.index("Taken at the door,300000")
    back = '"of which to be given back: paid twice, or for cancelled tickets",150000'
    assert rows[first + 1 : first + 3] == [back, "Due at the door,150000"]
    assert rows[-2:] == ["Taken at the door,150000", "Due at the door,-150000"]


def test_an_answer_of_an_older_image_is_read() -> None:
    read = settlement.read(ANSWER)
    assert (read.due_krw, read.since, read.later, read.outside) == (0, None, (), ())


def test_sales_that_went_on_are_a_part_of_their_own_in_the_table() -> None:
    later = ANSWER | {"since": ANSWER["as_of"], "as_of": "2026-11-22T10:00:00+09:00", "is_final": False, "captured_krw": 7}
    rows = table(ANSWER | {"captured_krw": 5, "later": [later]})
    at = rows.index("Sales after that")
    assert "Paid by buyers,5" in rows[:at]
    assert rows[at + 1 : at + 5] == [
        "Since,2026-11-20 10:00",
        "As of,2026-11-22 10:00",
        "Sales close,2026-11-20 10:00",
        "State,provisional",
    ]
    assert "Paid by buyers,7" in rows[at:]
