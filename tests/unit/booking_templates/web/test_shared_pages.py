"""What of a page is kept for everybody: nothing of a visitor gets into it, and nothing older than the services' answers comes out."""

from __future__ import annotations

import gzip
import uuid

import pytest

from booking_templates.web import pages
from tests.unit.booking_templates.web.test_pages import PAGES


@pytest.fixture
def rendered(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The templates that were rendered, in order."""
    seen: list[str] = []
    render = pages.render_to_string

    def noting(template: str, context: dict[str, object]) -> str:
        seen.append(template)
        return render(template, context)

    monkeypatch.setattr(pages, "render_to_string", noting)
    return seen


def kept() -> bytes:
    """Every byte of the shells."""
    return b"".join(b"".join(shell._texts) for _shown, shell in pages._shells.values())


@pytest.mark.parametrize("path", PAGES)
def test_a_buyers_name_is_in_their_own_page_and_in_nobody_elses(client_for, services, keys, path):
    name, another = f"이름{uuid.uuid4().hex}", uuid.uuid4().hex
    own = client_for(keys.buyer_token(name=name)).get(path).content.decode()
    assert f'<span id="buyer-name">{name}</span>' in own
    other = client_for(keys.buyer_token(name=another)).get(path).content.decode()
    assert name not in other
    assert another in other
    stranger = client_for().get(path).content.decode()
    assert name not in stranger
    assert another not in stranger
    assert '<span id="buyer-name"></span>' in stranger


@pytest.mark.parametrize("path", [*PAGES, "/login?next=/orders%3F{}", "/shop?booking={}", "/performances/p1?{}", "/nope/{}"])
def test_nothing_of_a_request_is_kept(client, services, token_for, path):
    """Not the address, not what is in its query, no cookie, no header, no name."""
    marks = [uuid.uuid4().hex for _ in range(4)]
    client.cookies["clove_access"] = token_for("buyer", None)
    client.cookies["other"] = marks[1]
    path = path.format(marks[0]).replace("/123", f"/{marks[2]}").replace("/1", f"/{marks[2]}")
    answer = client.get(path, headers={"User-Agent": marks[3], "Accept-Language": "en", "X-Forwarded-For": marks[3]})
    assert marks[2] not in path or marks[2].encode() in answer.content
    assert not [mark for mark in (*marks, "김클로") if mark.encode() in kept()]


def test_a_buyers_name_stays_text(client_for, services, keys):
    page = client_for(keys.buyer_token(name="<script>alert(1)</script>")).get("/").content.decode()
    assert "<script>alert" not in page
    assert '<span id="buyer-name">&lt;script&gt;alert(1)&lt;/script&gt;</span>' in page


def test_a_page_is_rendered_once_for_all_its_visitors(client_for, services, keys, rendered):
    for _ in range(3):
        client_for(keys.buyer_token(name=uuid.uuid4().hex)).get("/performances/p1")
        client_for().get(f"/performances/p1?{uuid.uuid4()}")
        client_for().get(f"/checkout/{uuid.uuid4()}")
        client_for().get(f"/orders/{uuid.uuid4()}")
    assert rendered == ["web/performance.html", "web/checkout.html", "web/order.html"]


def test_each_language_has_a_copy_of_its_own_by_cookie_and_by_header(client, services, rendered):
    for header, cookie, code in (("ko", "", "ko"), ("en", "", "en"), ("ko", "en", "en"), ("en", "ko", "ko"), ("ko", "", "ko")):
        client.cookies["clove_lang"] = cookie
        assert f'<html lang="{code}"' in client.get("/", headers={"Accept-Language": header}).content.decode()
    assert len(rendered) == 2


def test_a_sellers_edit_is_seen_by_the_next_visitor_and_what_did_not_change_is_not_rendered_again(client, services, rendered):
    client.get("/")
    client.get("/")
    assert len(rendered) == 1
    services.documents["/api/event/"] = {**services.documents["/api/event/"], "title": "A newer title"}
    assert "A newer title" in client.get("/").content.decode()
    assert len(rendered) == 2
    services.documents["/api/seat/performances"] = [{**each, "free": 7} for each in services.documents["/api/seat/performances"]]
    assert "7 left" in client.get("/").content.decode()
    services.documents["/api/seat/plan"] = {**services.documents["/api/seat/plan"], "version": "v2"}
    assert "/api/seat/plan?v=v2" in client.get("/performances/p1").content.decode()


def test_a_degraded_page_is_kept_no_longer_than_its_cause(client, services):
    whole = services.documents.pop("/api/event/")
    for _ in range(2):
        assert "The event's description is missing right now" in client.get("/").content.decode()
    services.documents["/api/event/"] = whole
    assert "is missing right now" not in client.get("/").content.decode()
    del services.documents["/api/seat/performances"]
    assert "How many seats are left cannot be shown right now" in client.get("/").content.decode()


def test_only_so_many_are_kept(client, services, monkeypatch):
    monkeypatch.setattr(pages, "SHELLS_MAX", 3)
    for path in PAGES:
        assert client.get(path).status_code == 200
    assert len(pages._shells) == 3


def test_performances_share_one_copy_and_each_has_its_own_time(client, services, rendered):
    """More of them than are kept of all pages."""
    first = services.documents["/api/seat/performances"][0]
    many = [
        {**first, "id": f"p{day}-{hour}", "starts_at": f"2027-01-{day:02}T{hour}:30:00+09:00"}
        for day in range(1, 29)
        for hour in range(14, 18)
    ]
    services.documents["/api/seat/performances"] = many
    for each in [*many, *many]:
        page = client.get(f"/performances/{each['id']}", headers={"Accept-Language": "ko"}).content.decode()
        assert f'<time datetime="{each["starts_at"]}">2027년 1월 {int(each["starts_at"][8:10])}일' in page
        assert f'data-performance="{each["id"]}"' in page
    assert rendered == ["web/performance.html"]


def test_unknown_addresses_share_one_copy(client, services):
    for _ in range(5):
        client.get(f"/nope/{uuid.uuid4()}")
        client.get(f"/performances/{uuid.uuid4()}")
    assert len(pages._shells) == 1


@pytest.mark.parametrize(
    ("accepted", "is_compressed"), [("gzip", True), ("br, gzip;q=0.8", True), ("", False), ("gzip;q=0", False), ("gzip;q=0.0, br", False)]
)
def test_who_takes_gzip_gets_the_same_page_compressed(client, services, accepted, is_compressed):
    plain, answer = client.get("/"), client.get("/", headers={"Accept-Encoding": accepted})
    assert ("Content-Encoding" in answer.headers) == is_compressed
    assert (gzip.decompress(answer.content) if is_compressed else answer.content) == plain.content
    assert {"Accept-Encoding", "Accept-Language", "Cookie"} == {part.strip() for part in answer["Vary"].split(",")}
    assert answer["Cache-Control"] == "private, no-cache"


def test_a_browser_that_has_the_page_is_not_sent_it_again_until_it_logs_in_or_something_changes(client, services, token_for):
    first = client.get("/")
    assert client.get("/", headers={"If-None-Match": first["ETag"]}).status_code == 304
    assert client.get("/", headers={"If-None-Match": first["ETag"], "Accept-Language": "ko"}).status_code == 200
    client.cookies["clove_access"] = token_for("buyer")
    own = client.get("/", headers={"If-None-Match": first["ETag"]})
    assert own.status_code == 200
    assert client.get("/", headers={"If-None-Match": own["ETag"]}).status_code == 304
    services.documents["/api/event/"] = {**services.documents["/api/event/"], "title": "A newer title"}
    assert client.get("/", headers={"If-None-Match": own["ETag"]}).status_code == 200


def test_an_error_page_is_never_answered_with_not_modified(client, services):
    gone = client.get("/nope")
    assert client.get("/nope", headers={"If-None-Match": gone["ETag"]}).status_code == 404


def test_a_token_that_is_not_good_makes_a_stranger_of_whoever_sends_it(client_for, services):
    answer = client_for("forged").get("/")
    assert answer.status_code == 200
    assert '<span id="buyer-name"></span>' in answer.content.decode()
