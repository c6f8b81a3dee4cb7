"""The language of pages, and its switch."""

from __future__ import annotations

import pytest

from booking_templates.web.paths import local_path


@pytest.mark.parametrize(("header", "code"), [("ko-KR,ko;q=0.9", "ko"), ("en-US", "en"), ("fr-FR,fr;q=0.9", "ko"), ("", "ko")])
def test_the_browsers_language_decides_and_korean_is_the_default(client, services, header, code):
    assert f'<html lang="{code}"' in client.get("/", headers={"Accept-Language": header}).content.decode()


def test_the_switch_is_remembered_and_leads_back(client, services):
    response = client.get("/lang/ko?next=/orders?x=1")
    assert (response.status_code, response["Location"]) == (302, "/orders?x=1")
    assert response.cookies["clove_lang"].value == "ko"
    assert '<html lang="ko"' in client.get("/").content.decode()
    client.get("/lang/en")
    assert '<html lang="en"' in client.get("/", headers={"Accept-Language": "ko"}).content.decode()


def test_an_unknown_language_is_not_there(client, services):
    assert client.get("/lang/xx").status_code == 404


def test_each_page_offers_the_other_language_and_comes_back_to_itself(client, services):
    page = client.get("/login?next=/orders").content.decode()
    assert 'href="/lang/ko?next=%2Flogin%3Fnext%3D%2Forders"' in page


@pytest.mark.parametrize("path", ["/", "/orders", "/performances/p1?x=1&y=2", "/tickets/한글"])
def test_paths_of_this_site_are_where_one_may_be_sent(path):
    assert local_path(path) == path


@pytest.mark.parametrize(
    "path",
    ["", None, "orders", "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil", "https://evil.example/", "javascript:alert(1)",
     "/\t/evil.example", "/a\nSet-Cookie:x", "/" + "a" * 600, " /orders"],
)  # fmt: skip
def test_anything_else_leads_home(path):
    assert local_path(path) == "/"


def test_the_login_page_tells_why_an_outside_sign_in_led_there_in_its_own_words(client, services):
    assert "The sign-in was cancelled" in client.get("/login?problem=outside_cancelled").content.decode()
    assert "<b>evil" not in client.get("/login?problem=<b>evil").content.decode()


def test_login_and_switch_keep_strangers_addresses_out(client, services):
    assert 'data-next="/"' in client.get("/login?next=//evil.example").content.decode()
    assert 'data-next="/orders"' in client.get("/signup?next=/orders").content.decode()
    assert client.get("/lang/ko?next=https://evil.example").headers["Location"] == "/"
