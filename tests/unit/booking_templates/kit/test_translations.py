"""Every text that a service says to people exists in Korean, and the compiled catalogue is the one of the source."""

from __future__ import annotations

import ast
import gettext
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import booking_templates

PACKAGES = Path(booking_templates.__file__).parent
NAMES = sorted(path.parents[3].name for path in PACKAGES.glob("*/locale/ko/LC_MESSAGES/django.po"))
MARKS = frozenset({"_", "_n", "_l", "gettext", "gettext_lazy", "gettext_noop", "ngettext"})


def marked_texts(package: Path) -> Iterator[str]:
    for path in package.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and node.args and getattr(node.func, "id", getattr(node.func, "attr", "")) in MARKS:
                first = node.args[0]
                if isinstance(first, ast.Constant) and isinstance(first.value, str):
                    yield first.value


def catalogue(package: Path) -> gettext.GNUTranslations:
    with open(package / "locale/ko/LC_MESSAGES/django.mo", "rb") as file:
        return gettext.GNUTranslations(file)


@pytest.mark.parametrize("name", NAMES)
def test_every_marked_text_is_in_korean(name):
    known = {key if isinstance(key, str) else key[0] for key in catalogue(PACKAGES / name)._catalog}
    assert [text for text in marked_texts(PACKAGES / name) if text not in known] == []


def entries(source: str) -> Iterator[tuple[str, str]]:
    """Key and translation of each entry of a catalogue's SOURCE, as the compiled one names them: `context EOT id`."""
    for block in re.split(r"\n\s*\n", source):
        parts = {keyword: "".join(ast.literal_eval(line) for line in lines.split("\n") if line) for keyword, lines in PART.findall(block)}
        if text := parts.get("msgstr") or parts.get("msgstr[0]"):
            yield (parts["msgctxt"] + "\x04" if "msgctxt" in parts else "") + parts["msgid"], text


PART = re.compile(r'^(msgctxt|msgid|msgid_plural|msgstr|msgstr\[0\]) ((?:"[^\n]*"\n?)+)', re.MULTILINE)


@pytest.mark.parametrize("name", NAMES)
def test_the_compiled_catalogue_holds_what_the_source_says(name):
    source = (PACKAGES / name / "locale/ko/LC_MESSAGES/django.po").read_text(encoding="utf-8")
    compiled = {key if isinstance(key, str) else key[0]: text for key, text in catalogue(PACKAGES / name)._catalog.items()}
    found = dict(entries(source))
    assert len(found) > 1
    assert [key for key, text in found.items() if key and compiled.get(key) != text] == []


def test_every_package_that_speaks_has_a_catalogue():
    silent = [path.name for path in PACKAGES.iterdir() if path.is_dir() and path.name not in NAMES and any(marked_texts(path))]
    assert silent == []
