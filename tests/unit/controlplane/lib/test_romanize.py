from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.lib.romanize import latin, latin_name


@pytest.mark.parametrize(
    ("korean", "latin_letters"),
    [("서울", "seoul"), ("한강", "hangang"), ("뮤지컬", "myujikeol"), ("값", "gaps"), ("Les Misérables", "Les Misérables"), ("", "")],
)
def test_hangul_is_spelled_out_and_the_rest_stays(korean, latin_letters):
    assert latin(korean) == latin_letters


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("뮤지컬 〈별의 정거장〉", "myujikeol-byeolui-jeonggeojang"),
        ("Les Misérables — 2027", "les-miserables-2027"),
        ("〈〉", ""),
        ("a" * 50, "a" * 30),
    ],
)
def test_a_name_is_made_of_a_title(title, name):
    assert latin_name(title, 30) == name


@given(st.text(max_size=200), st.integers(1, 63))
def test_a_name_is_a_dns_label_or_empty(title, length):
    name = latin_name(title, length)
    assert name == "" or (len(name) <= length and re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name))
