"""Headers and files: nothing inline, everything cacheable that may be, and a small first load."""

from __future__ import annotations

import gzip
import re

import pytest

from booking_templates.web import assets
from booking_templates.web.templatetags.clove_web import imports


@pytest.mark.parametrize("path", ["/", "/performances/p1", "/nope"])
def test_pages_allow_nothing_inline_and_nothing_from_elsewhere(client, services, path):
    response = client.get(path)
    policy = response["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    page = response.content.decode()
    assert " style=" not in page
    assert "<style" not in page
    assert not re.search(r"\son\w+=", page)
    for attributes in re.findall(r"<script([^>]*)>", page):
        assert "src=" in attributes or 'type="application/json"' in attributes
    assert not re.search(r'(?:src|href)="https?:', page)


def test_pages_are_private_and_vary_with_who_reads_them(client, services):
    response = client.get("/")
    assert response["Cache-Control"] == "private, no-cache"
    assert {"Cookie", "Accept-Language"} <= {part.strip() for part in response["Vary"].split(",")}
    assert response["X-Frame-Options"] == "DENY"
    assert response["X-Content-Type-Options"] == "nosniff"


def test_files_are_kept_for_ever_under_their_versions_address(client, services):
    address = assets.url("web/site.css")
    response = client.get(address, headers={"Accept-Encoding": "gzip"})
    assert response.status_code == 200
    assert "immutable" in response["Cache-Control"]
    assert b"--accent" in gzip.decompress(response.content)
    assert client.get(address, headers={"If-None-Match": response["ETag"]}).status_code == 304
    assert b"--accent" in client.get(address).content


def test_a_file_is_served_at_another_versions_address_too_for_a_rollout(client, services):
    response = client.get("/static/0123456789/web/site.css")
    assert response.status_code == 200
    assert response["Cache-Control"] == "public, no-cache"


def test_a_programme_that_asks_for_the_icon_at_the_root_gets_it(client):
    assert client.get("/favicon.ico")["Content-Type"] == "image/svg+xml"


def test_the_seat_pages_own_files_are_far_below_200_kilobytes(client, services):
    """The rest of the 200 KB is for the plan: 1,241 seats are about 50 KB, and a third of that compressed."""
    page = client.get("/performances/p1", headers={"Accept-Encoding": "gzip"})
    names = ["web/site.css", "web/seats.css", "web/icons.svg", "web/pages/performance.js", *imports("web/pages/performance.js")]
    total = len(page.content) + sum(len(assets.assets().files[name].zipped or assets.assets().files[name].content) for name in names)
    assert total < 90_000


def test_every_module_that_is_imported_exists_and_is_preloaded(client, services):
    page = client.get("/performances/p1").content.decode()
    for name in imports("web/pages/performance.js"):
        assert name in assets.assets().files
        assert f'<link rel="modulepreload" href="{assets.url(name)}">' in page
