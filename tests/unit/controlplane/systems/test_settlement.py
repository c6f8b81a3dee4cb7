"""The statement as it is read from a ticket service, and written out as a table."""

from __future__ import annotations

import pytest

from controlplane.systems import settlement


@pytest.mark.parametrize("before", ["", " ", "\u3000", "\n", "\r\n", "\t", "\n \t"])
@pytest.mark.parametrize("sign", "=+-@＝＋－＠")
def test_what_looks_like_a_formula_is_text_in_a_table(sign: str, before: str) -> None:
    name = f"{before}{sign}HYPERLINK(1)"
    assert settlement.harmless(name) == f"'{name}"


@pytest.mark.parametrize("text", ["", "김하나", "R석", "A-1", "1+1", "'=1"])
def test_other_text_stays_as_it_is(text: str) -> None:
    assert settlement.harmless(text) == text
