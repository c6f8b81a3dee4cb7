"""Pages with holes: filled in, plain and compressed they are the same text, whatever goes into the holes."""

from __future__ import annotations

import gzip
import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from booking_templates.web import shell as shells
from booking_templates.web.shell import Shell, hole

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)


@given(st.lists(TEXTS, min_size=1, max_size=5), st.data())
def test_compressed_it_is_the_plain_page(texts, data):
    names = ["first", "second", "third", "fourth"][: len(texts) - 1]
    values = {name: data.draw(TEXTS) for name in names}
    page = texts[0] + "".join(hole(name) + text for name, text in zip(names, texts[1:], strict=True))
    shell = Shell(page)
    wanted = texts[0] + "".join(html.escape(values[name]) + text for name, text in zip(names, texts[1:], strict=True))
    assert shell.plain(values).decode() == wanted
    assert gzip.decompress(shell.gzipped(values)) == shell.plain(values)


@pytest.mark.parametrize("length", [0, 1, 0xFFFF, 0x10000, 200_000])
def test_a_value_may_be_of_any_length(length):
    shell = Shell(f"<p>{hole('x')}</p>" + "text " * 1000)
    assert gzip.decompress(shell.gzipped({"x": "a" * length})) == shell.plain({"x": "a" * length})


def test_a_value_stays_text():
    assert Shell(f'<a title="{hole("x")}">').plain({"x": "\"><script>'&"}) == b'<a title="&quot;&gt;&lt;script&gt;&#x27;&amp;">'


def test_a_text_that_looks_like_a_hole_is_none():
    for text in ("⟦name⟧", "⟦0123456789abcdef0123456789abcdef:name⟧", "{% hole name %}"):
        assert Shell(text).plain({}) == text.encode()


def test_a_hole_that_nobody_fills_is_an_error():
    with pytest.raises(KeyError):
        Shell(hole("x")).plain({})
    with pytest.raises(KeyError):
        Shell(hole("x")).gzipped({})


def test_the_validator_changes_with_the_page_and_with_what_fills_it():
    shell = Shell(f"a{hole('x')}{hole('y')}")
    tags = [shell.etag({"x": x, "y": y}) for x, y in (("", ""), ("1", ""), ("", "1"), ("1:", "1"), ("1", ":1"))]
    assert len({*tags, Shell(f"b{hole('x')}{hole('y')}").etag({"x": "", "y": ""})}) == 6
    assert shell.etag({"x": "1", "y": ""}) == tags[1]


def test_the_validator_is_the_same_in_every_process(monkeypatch):
    here = Shell(f"a{hole('x')}b").etag({"x": "1"})
    monkeypatch.setattr(shells, "_SECRET", "0" * 32)
    monkeypatch.setattr(shells, "_MARK", re.compile(rf"⟦{'0' * 32}:([a-z_]+)⟧"))
    assert Shell(f"a{hole('x')}b").etag({"x": "1"}) == here
