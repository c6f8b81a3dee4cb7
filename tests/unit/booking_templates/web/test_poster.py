"""Drawn posters: one for every field, the same for the same event."""

from __future__ import annotations

import re

import pytest

from booking_templates.web import poster
from booking_templates.web.context import FIELDS


@pytest.mark.parametrize("field", [*FIELDS, "unheard-of"])
def test_every_field_has_a_drawing_of_plain_paths(field):
    drawn = poster.draw(field, "제목")
    assert len(drawn.shapes) >= 5
    for shape in drawn.shapes:
        assert re.fullmatch(r"[MLHVCSQTAZmlhvcsqtaz0-9 .,\-]+", shape.d)
        assert 0 < shape.opacity <= 1


def test_an_event_keeps_its_poster_and_another_gets_another():
    assert poster.draw("musical", "가") == poster.draw("musical", "가")
    assert poster.draw("musical", "가") != poster.draw("musical", "나")


@pytest.mark.parametrize(("title", "size"), [("짧은 제목", "large"), ("조금 더 긴 행사의 제목", "medium"), ("아주 " * 12, "small")])
def test_long_titles_are_set_in_smaller_type(title, size):
    assert poster.draw("other", title).size == size
