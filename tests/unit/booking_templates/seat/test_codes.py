"""Presale codes: their text follows from number and key, and nobody else makes one."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest

from booking_templates.seat import codes

NUMBERS = [1, 2, 3, 1_000, 99_999, codes.CODES_MAX]


@pytest.mark.parametrize("number", NUMBERS)
def test_a_code_says_its_number(number: int) -> None:
    text = codes.write(number)

    assert [len(part) for part in text.split("-")] == [4, 4, 4]
    assert set(text) <= {*codes.ALPHABET, "-"}
    assert codes.read(text) == number
    assert codes.write(number) == text


def test_nothing_in_it_is_taken_for_something_else() -> None:
    assert not set(codes.ALPHABET) & set("0O1IL")
    assert len(set(codes.ALPHABET)) == len(codes.ALPHABET) == 31


def test_codes_differ_and_show_no_order() -> None:
    made = [codes.write(number) for number in range(1, 2_001)]

    assert len(set(made)) == len(made)
    assert made != sorted(made)
    assert len({text[:4] for text in made}) > 1_900
    assert len({text[-4:] for text in made}) > 1_900


@pytest.mark.parametrize(
    "typed",
    [
        str.lower,
        lambda text: text.replace("-", ""),
        lambda text: text.replace("-", " "),
        lambda text: f"  {text}\n",
        lambda text: text.replace("-", "–"),  # a dash that phones write
        lambda text: "".join(
            chr(ord(letter) + 0xFEE0) if letter != "-" else letter for letter in text
        ),  # wide letters of a Korean keyboard
    ],
)
def test_it_is_read_however_it_was_typed(typed: object) -> None:
    assert callable(typed)
    assert codes.read(typed(codes.write(7))) == 7


def test_any_letter_that_is_another_makes_it_none() -> None:
    text = codes.write(7).replace("-", "")

    for place, right in enumerate(text):
        for letter in codes.ALPHABET + "0O1IL한":
            if letter != right:
                assert codes.read(text[:place] + letter + text[place + 1 :]) is None


def test_two_letters_that_changed_places_make_it_none() -> None:
    for number in NUMBERS:
        text = codes.write(number).replace("-", "")
        for place in range(len(text) - 1):
            turned = text[:place] + text[place + 1] + text[place] + text[place + 2 :]
            assert turned == text or codes.read(turned) is None


@pytest.mark.parametrize(
    "text", ["", "A", "-" * 12, "A" * 11, "A" * 13, "A" * 12, "Z" * 12, "2" * 12, "한" * 12, "\x00" * 12, "A" * 100_000]
)
def test_what_is_no_code_is_none(text: str) -> None:
    assert codes.read(text) is None


def test_guesses_hit_nothing() -> None:
    dice = random.Random(7)
    assert not [guess for _ in range(20_000) if codes.read(guess := "".join(dice.choices(codes.ALPHABET, k=12)))]


def test_another_systems_code_is_none(settings: Any) -> None:
    text = codes.write(7)
    settings.ENV = replace(settings.ENV, system="clove-999")

    assert codes.read(text) is None
    assert codes.write(7) != text


def test_a_code_of_another_key_is_none(settings: Any) -> None:
    text = codes.write(7)
    settings.SECRET_KEY = "another" * 8

    assert codes.read(text) is None
