"""Texts of the modules: each key that is used is there, none is left over, and Korean is complete."""

from __future__ import annotations

import re

import pytest
from django.utils import translation

from booking_templates.web import assets, texts

KEY = re.compile(r"""\bt\(\s*["']([a-z0-9_]+)["']""")
# t(isChosen ? "a" : "b"), t(outcome === "x" ? …), and keys that stand in tables
LITERAL = re.compile(r"""["']([a-z0-9_]+)["']""")


def modules() -> str:
    return "\n".join(file.content.decode() for name, file in assets.assets().files.items() if name.endswith(".js"))


def test_every_key_that_a_module_asks_for_is_in_the_catalogue():
    missing = set(KEY.findall(modules())) - set(texts.catalogue())
    assert not missing


def test_every_text_is_used():
    source = modules()
    literals = set(LITERAL.findall(source))
    # Built from a part: `${key}_title`, `status_${…}`.
    parts = {f"{literal}_{end}" for literal in literals for end in ("title", "text")}
    statuses = {key for key in texts.catalogue() if key.startswith("status_")}
    assert set(texts.catalogue()) <= literals | parts | statuses


def test_each_text_fills_in_the_same_names_in_both_languages():
    def names(text: str | list[str]) -> list[set[str]]:
        return [set(re.findall(r"\{(\w+)\}", each)) for each in ([text] if isinstance(text, str) else text)]

    with translation.override("en"):
        english = texts.catalogue()
    with translation.override("ko"):
        korean = texts.catalogue()
    for key, text in english.items():
        assert set().union(*names(text)) == set().union(*names(korean[key])), key


@pytest.mark.parametrize("key", sorted(texts.catalogue()))
def test_each_text_is_translated(key):
    with translation.override("ko"):
        text = texts.catalogue()[key]
    said = text if isinstance(text, str) else text[0]
    assert re.search(r"[가-힣]", said) or not re.search(r"[A-Za-z]{3}", re.sub(r"\{\w+\}", "", said)), said
