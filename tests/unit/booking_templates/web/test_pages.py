"""What the pages say: with everything there, in both languages, and to a visitor who is known."""

from __future__ import annotations

import re

import pytest

PAGES = [
    "/",
    "/performances/p1",
    "/checkout/123",
    "/orders",
    "/orders/1",
    "/tickets/1",
    "/signup",
    "/login",
    "/account",
    "/shop",
    "/shop/orders/1",
]
PAGES += ["/forgot-password", "/reset-password"]


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize(("code", "word"), [("ko", "예매 내역"), ("en", "My bookings")])
def test_every_page_opens_in_both_languages(client, services, path, code, word):
    response = client.get(path, headers={"Accept-Language": code})
    page = response.content.decode()
    assert response.status_code == 200
    assert f'<html lang="{code}"' in page
    assert word in page
    assert "뮤지컬 〈별의 정거장〉" in page


@pytest.mark.parametrize("path", PAGES)
def test_pages_are_read_and_nothing_else(client, services, path):
    assert client.head(path).status_code == 200
    for method in ("post", "put", "patch", "delete", "options"):
        refused = getattr(client, method)(path)
        assert (refused.status_code, refused["Allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize("is_in", [False, True], ids=["a stranger", "a buyer"])
def test_a_form_that_is_sent_before_the_page_is_ready_is_answered_with_a_way_back(client, services, token_for, is_in):
    """On a slow line the modules come later than the form, and without them the browser sends it as forms are sent."""
    if is_in:
        client.cookies["clove_access"] = token_for("buyer")
    assert client.post("/nope").status_code == 404
    page = client.post("/login?next=/orders%3Fa%3D1", {"email": "mina@example.com", "password": "correct horse"}).content.decode()
    assert '<a class="button button--primary" href="/login?next=/orders%3Fa%3D1">' in page
    assert "correct horse" not in page
    assert "mina@example.com" not in page


def test_the_event_page_has_the_facts_prices_and_performances(client, services):
    page = client.get("/", headers={"Accept-Language": "ko"}).content.decode()
    for text in (
        "샤롯데씨어터",
        "2027년 1월 10일 (일)",
        "19:30",
        "150분",
        "8세 이상 관람가",
        "170,000원",
        "823석 남음",
        "매진",
        "예매 오픈",
    ):
        assert text in page
    assert 'href="/performances/p1"' in page
    assert 'href="/performances/p2"' not in page  # sold out


ORGANISER = {"name": "극단 은하역", "phone": "02-123 4567", "email": "a?b@example.com", "registration": "대표 김은하 <b>"}


def test_whom_one_buys_from_stands_on_the_event_page_and_at_the_foot_of_the_others(client, services):
    assert "주최" not in client.get("/", headers={"Accept-Language": "ko"}).content.decode(), "nothing is said of nobody"
    services.documents["/api/event/"] = services.documents["/api/event/"] | {"organiser": ORGANISER}
    for path, times in (("/", 2), ("/login", 1), ("/checkout/h1", 1)):
        page = client.get(path, headers={"Accept-Language": "ko"}).content.decode()
        for text in ("극단 은하역", 'href="tel:021234567"', 'href="mailto:a%3Fb@example.com"', "대표 김은하 &lt;b&gt;"):
            assert page.count(text) == times, (path, text)


def test_a_link_that_is_passed_on_shows_the_event(client, services):
    services.documents["/api/event/"] = services.documents["/api/event/"] | {
        "poster": {"url": "/api/event/poster/ab", "width": 3, "height": 4}
    }
    page = client.get("/", headers={"Accept-Language": "ko"}).content.decode()
    told = dict(re.findall(r'<meta property="og:([a-z:]+)"\s+content="([^"]*)"', page))
    assert told["title"] == "뮤지컬 〈별의 정거장〉"
    assert told["description"] == "2027년 1월 10일 (일) – 2027년 1월 11일 (월) · 샤롯데씨어터"
    assert told["image"] == f"{told['url']}api/event/poster/ab"
    assert told["url"].startswith("http")


@pytest.mark.parametrize(("price", "said"), [(0, [True, False]), (20_000, [False, True])])
def test_where_all_is_free_nothing_is_said_of_paying_at_the_venue(client, services, price, said):
    plan, event = services.documents["/api/seat/plan"], services.documents["/api/event/"]
    services.documents["/api/seat/plan"] = plan | {"grades": [{**plan["grades"][0], "price_krw": price}]}
    services.documents["/api/event/"] = event | {"payment": "none"}
    page = client.get("/", headers={"Accept-Language": "en"}).content.decode()
    assert [f"<li>{text}" in page for text in ("There is nothing to pay.", "Nothing is paid online")] == said


@pytest.mark.parametrize(("age", "said"), [(0, "All ages"), (12, "12 and over"), (None, "")])
def test_how_old_one_must_be_is_said_where_it_is_known(client, services, age, said):
    services.documents["/api/event/"] = services.documents["/api/event/"] | {"age_limit": age}
    page = client.get("/", headers={"Accept-Language": "en"}).content.decode()
    assert ("<dt>Age</dt>" in page) == (age is not None)
    assert said in page


def test_who_signs_up_is_told_what_is_kept(client, services):
    services.documents["/api/event/"] = services.documents["/api/event/"] | {"organiser": ORGANISER}
    page = client.get("/signup", headers={"Accept-Language": "en"}).content.decode()
    assert "극단 은하역 keeps your name" in page
    assert "five years" in page


def call_off(services, performance_id):
    on_sale = services.documents["/api/seat/performances"]
    told = {"is_called_off": True, "on_sale": False, "free": 0}
    services.documents["/api/seat/performances"] = [each | (told if each["id"] == performance_id else {}) for each in on_sale]


@pytest.mark.parametrize(("code", "said", "sold_out"), [("ko", "공연 취소", "매진"), ("en", "Called off", "Sold out")])
def test_the_event_page_tells_what_is_called_off_from_what_is_sold_out(client, services, code, said, sold_out):
    call_off(services, "p1")
    page = client.get("/", headers={"Accept-Language": code}).content.decode()
    picker = page[page.index('id="picker-plain"') : page.index('id="picker-live"')]
    assert "/performances/" not in picker, "neither can be chosen"
    assert [picker.count(said), picker.count(sold_out)] == [1, 1]
    assert '"is_called_off": true' in page, "the page's module is told too"


def test_while_the_seat_service_says_nothing_the_event_service_still_knows(client, services):
    event = services.documents["/api/event/"]
    performances = [each | {"is_called_off": each["id"] == "p1"} for each in event["performances"]]
    services.documents["/api/event/"] = event | {"performances": performances}
    del services.documents["/api/seat/performances"]
    page = client.get("/", headers={"Accept-Language": "en"}).content.decode()
    assert page.count("Called off") >= 1
    assert 'href="/performances/p1"' not in page
    assert 'href="/performances/p2"' in page


@pytest.mark.parametrize(("code", "said"), [("ko", "이 회차는 취소되었습니다"), ("en", "This performance was called off")])
def test_the_page_of_a_performance_that_is_called_off_says_so_and_offers_no_seats(client, services, code, said):
    before = client.get("/performances/p1", headers={"Accept-Language": code})
    assert 'id="hold"' in before.content.decode()
    call_off(services, "p1")
    page = client.get("/performances/p1", headers={"Accept-Language": code, "If-None-Match": before["ETag"]})
    assert page.status_code == 200
    text = page.content.decode()
    assert f"<h1>{said}</h1>" in text
    assert "2027" in text
    for part in ('id="hold"', 'id="booth"', "/api/seat/plan", "pages/performance"):
        assert part not in text
    assert 'id="hold"' in client.get("/performances/p2").content.decode(), "the other goes on"


def test_the_event_page_shows_the_uploaded_poster_instead_of_a_drawn_one(client, services):
    assert b"poster--drawn" in client.get("/").content
    services.documents["/api/event/"] = {
        **services.documents["/api/event/"],
        "poster": {"url": "/api/event/poster/ab", "width": 3, "height": 4},
    }
    page = client.get("/").content
    assert b'src="/api/event/poster/ab"' in page
    assert b"poster--drawn" not in page


def test_a_sellers_text_stays_text(client, services):
    evil = "</script><img src=x onerror=alert(1)>\"'"
    event = {**services.documents["/api/event/"], "title": evil, "description": evil, "field": evil}
    services.documents["/api/event/"] = {**event, "venue": {"name": evil, "address": evil}}
    services.documents["/api/seat/plan"] = {"grades": [{"id": "0", "name": evil, "price_krw": 1, "color": evil}]}
    for path in ("/", "/performances/p1", "/tickets/1"):
        page = client.get(path).content.decode()
        assert "<img src=x" not in page
        assert 'data-field="other"' in page


def test_a_buyer_is_greeted_by_name_while_the_token_lives(client, services, token_for):
    client.cookies["clove_access"] = token_for("buyer")
    assert '<span id="buyer-name">김클로</span>' in client.get("/").content.decode()
    client.cookies["clove_access"] = "forged"
    assert '<span id="buyer-name"></span>' in client.get("/").content.decode()


def test_an_unknown_performance_is_a_page_that_says_so(client, services):
    response = client.get("/performances/nope", headers={"Accept-Language": "ko"})
    assert response.status_code == 404
    assert response["Content-Type"].startswith("text/html")
    assert "페이지를 찾을 수 없습니다" in response.content.decode()


@pytest.mark.parametrize("path", ["/nope", "/performances/" + "x" * 65, "/static/v/web/nope.js", "/static/v/../settings.py"])
def test_what_is_not_there_is_a_404_page(client, services, path):
    response = client.get(path)
    assert response.status_code == 404
    assert b"We could not find this page" in response.content


def test_an_address_that_makes_no_sense_is_no_fault_of_ours(client, services):
    response = client.get("/login?" + "&".join(["a=1"] * 1001))
    assert response.status_code == 400
    assert b"The address may be mistyped" in response.content


def test_the_shop_is_there_only_in_a_system_that_has_one(client, services, settings):
    assert b'href="/shop"' in client.get("/orders").content
    settings.ENV = settings.ENV.__class__(**{**vars(settings.ENV), "peers": {k: v for k, v in settings.ENV.peers.items() if k != "merch"}})
    assert b'href="/shop"' not in client.get("/").content
    assert client.get("/shop").status_code == 404
    assert client.get("/shop/orders/1").status_code == 404


def test_an_error_of_ours_is_a_page_without_its_details(client, services, monkeypatch):
    from booking_templates.web import views

    def boom(*_args: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(views.poster, "draw", boom)
    response = client.get("/")
    assert response.status_code == 500
    assert b"It is our fault" in response.content
    assert b"secret detail" not in response.content


def test_a_small_change_of_the_plan_reaches_the_page_at_once(client, services):
    client.get("/")
    services.documents["/api/seat/plan"] = {"grades": [{"id": "0", "name": "R", "price_krw": 12345, "color": ""}]}
    assert b"12,345" in client.get("/").content


@pytest.mark.parametrize(("payment", "word"), [("kakaopay", "결제"), ("none", "예매 확인")])
def test_the_step_before_the_tickets_is_a_payment_only_where_something_is_paid(client, services, payment, word):
    services.documents["/api/event/"] = services.documents["/api/event/"] | {"payment": payment}
    for path in ("/performances/p1", "/checkout/1"):
        page = client.get(path, headers={"Accept-Language": "ko"}).content.decode()
        step = page.split('aria-hidden="true">3</span>')[1].split("</li>")[0]
        assert step.strip() == word, path
    heading = page.split("<h1>")[1].split("</h1>")[0]
    assert heading.strip() == word
