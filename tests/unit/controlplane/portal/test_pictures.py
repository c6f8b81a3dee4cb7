"""Pictures of products in the form, and on the page of a live shop."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from controlplane.accounts.models import Role
from controlplane.portal import drafts
from controlplane.systems import pictures, shop
from controlplane.systems.models import Picture
from tests.controlplane import numbered_requirement
from tests.pictures import png
from tests.unit.controlplane.pages import client_of, form_data, person, text

pytestmark = pytest.mark.django_db(transaction=True)

IMAGE = png()
DIGEST = hashlib.sha256(IMAGE).hexdigest()
TEE = {"products.t1.name": "티셔츠", "products.t1.price_krw": "35000", "products.t1.stock": "10"}
SIZES = [{"id": "m", "name": "M", "stock": 100}, {"id": "l", "name": "L", "stock": 80, "extra_krw": 2000}]


def file(content: bytes = IMAGE) -> SimpleUploadedFile:
    return SimpleUploadedFile("tee.png", content, "image/png")


@pytest.fixture
def draft(seller: Any) -> Any:
    return drafts.draft_start(user=seller)


def posted(draft: Any, **more: Any) -> dict[str, Any]:
    return form_data(merchandise="yes", action="check", **TEE, **more)


def test_a_chosen_picture_is_kept_and_named(draft: Any, browser: Any, seller: Any) -> None:
    answer = browser.post(f"/drafts/{draft.pk}/pictures", {"picture": file()}).json()
    image = browser.get(answer["url"])

    assert answer["digest"] == DIGEST
    assert (image.content, image["Content-Type"]) == (IMAGE, "image/png")
    assert image["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert Picture.objects.get().seller == seller


def test_it_stays_when_something_else_in_the_form_is_wrong(draft: Any, browser: Any) -> None:
    """Without a script the file comes along with the form, and a browser would not send it twice."""
    refused = browser.post(f"/drafts/{draft.pk}", posted(draft, **{"title": "", "products.t1.picture_file": file()}))
    assert (refused.status_code, DIGEST in text(refused)) == (422, True)

    assert browser.post(f"/drafts/{draft.pk}", posted(draft, **{"products.t1.picture": DIGEST})).status_code == 302
    checked = drafts.draft_check(drafts.draft_for(draft.seller, draft.pk))
    assert checked.requirement["products"][0]["picture"] == DIGEST
    assert checked.problems == []


def test_what_is_no_picture_is_refused_beside_its_product_and_the_rest_is_kept(draft: Any, browser: Any) -> None:
    refused = browser.post(f"/drafts/{draft.pk}", posted(draft, **{"products.t1.picture_file": file(b"<svg/>")}))
    form = drafts.form_of(drafts.draft_for(draft.seller, draft.pk))

    assert (refused.status_code, "This is not a PNG, JPEG or WebP picture" in text(refused)) == (422, True)
    assert form.rows["products"][0]["name"] == "티셔츠"
    assert browser.post(f"/drafts/{draft.pk}/pictures", {"picture": file(b"<svg/>")}).status_code == 422
    assert browser.post(f"/drafts/{draft.pk}/pictures", {}).json()["message"] == "Choose a picture."


def test_a_picture_too_large_is_refused(draft: Any, browser: Any) -> None:
    answer = browser.post(f"/drafts/{draft.pk}/pictures", {"picture": file(IMAGE + bytes(pictures.BYTES_MAX))})
    assert (answer.status_code, answer.json()["message"]) == (422, "The picture is larger than 2 MB.")


def test_it_is_taken_away_without_a_script_too(draft: Any, browser: Any) -> None:
    browser.post(f"/drafts/{draft.pk}/pictures", {"picture": file()})
    browser.post(f"/drafts/{draft.pk}", posted(draft, **{"products.t1.picture": DIGEST}) | {"action": "unpicture:t1"})
    assert drafts.form_of(drafts.draft_for(draft.seller, draft.pk)).rows["products"][0]["picture"] == ""


def test_others_neither_see_it_nor_name_it(draft: Any, browser: Any, other: Any) -> None:
    browser.post(f"/drafts/{draft.pk}/pictures", {"picture": file()})
    theirs = drafts.draft_start(user=person("third@example.kr"))

    assert other.get(f"/drafts/{draft.pk}/pictures/{DIGEST}").status_code == 404
    assert other.post(f"/drafts/{draft.pk}/pictures", {"picture": file()}).status_code == 404
    assert client_of(theirs.seller).get(f"/drafts/{theirs.pk}/pictures/{DIGEST}").status_code == 404
    refused = client_of(theirs.seller).post(f"/drafts/{theirs.pk}", posted(theirs, **{"products.t1.picture": DIGEST}))
    assert "This picture is not kept here any more." in text(refused)


def test_a_draft_that_names_it_keeps_it(draft: Any, browser: Any, seller: Any) -> None:
    browser.post(f"/drafts/{draft.pk}/pictures", {"picture": file()})
    browser.post(f"/drafts/{draft.pk}", posted(draft, **{"products.t1.picture": DIGEST}) | {"action": "save"})
    Picture.objects.update(given_at=timezone.now() - timedelta(days=400))

    pictures.forget_unused(seller)
    assert Picture.objects.exists()
    drafts.draft_delete(draft=draft)
    pictures.forget_unused(seller)
    assert not Picture.objects.exists()


def test_an_admin_who_edits_a_sellers_event_gives_pictures_in_the_sellers_name(numbered: Any, seller: Any) -> None:
    admin = person("root@example.kr", role=Role.ADMIN)
    theirs = drafts.draft_of_system(user=admin, system=numbered)
    client_of(admin).post(f"/drafts/{theirs.pk}/pictures", {"picture": file()})
    assert Picture.objects.get().seller == seller


def test_an_example_brings_its_pictures_along(browser: Any, seller: Any) -> None:
    browser.post("/systems/new", {"source": "example:musical"})
    draft = drafts.drafts_of(seller).get()

    checked = drafts.draft_check(draft)
    assert [bool(product.get("picture")) for product in checked.requirement["products"]] == [True, False, True]
    assert checked.problems == []
    assert seller.pictures.count() == 2


# --- A live shop ---


@pytest.fixture
def sizes(seller: Any, runtime: Any, site: Any) -> Any:
    from tests.unit.controlplane.pages import deployed

    tee = {"id": "tee", "name": "티셔츠", "price_krw": 35000, "option_label": "사이즈", "options": SIZES}
    system = deployed(numbered_requirement(products=[tee]), seller, runtime)
    sold = [{**each, "sold": 3, "is_offered": True} for each in SIZES]
    line = {"product": "tee", "name": "티셔츠", "stock": 180, "sold": 6, "is_offered": True, "options": sold}
    site.answers |= {
        ("GET", "/api/merch/summary"): (200, {"orders": 0, "picked_up": 0, "due_krw": 0, "by_product": [line]}),
        ("GET", "/api/merch/pickups"): (200, {"orders": [], "page": 1, "pages": 1, "total": 0}),
        ("GET", "/api/merch/content"): lambda _: (200, site.content["merch"]),
    }
    return system


def test_each_option_has_a_stock_with_what_was_sold_beside_it(sizes: Any, browser: Any) -> None:
    page = text(browser.get(f"/systems/{sizes.pk}/shop"))
    assert ("Stock of 티셔츠, M" in page, "3 of 100 sold" in page) == (True, True)


def test_the_stock_of_one_option_is_changed_at_once(sizes: Any, browser: Any, site: Any) -> None:
    assert browser.post(f"/systems/{sizes.pk}/shop/stock", {"product": "tee/m", "stock": "120"}).status_code == 302

    sizes.refresh_from_db()
    assert [each["stock"] for each in site.content["merch"]["products"][0]["options"]] == [120, 80]
    assert [each["stock"] for each in sizes.requirement.data["products"][0]["options"]] == [120, 80]


def test_less_than_was_sold_of_an_option_is_told_beside_it(sizes: Any, browser: Any, site: Any) -> None:
    site.answers["PUT", "/api/merch/content"] = (
        409,
        {"code": "stock_below_sold", "detail": "More of this was sold.", "options": ["tee/l"]},
    )
    page = text(browser.post(f"/systems/{sizes.pk}/shop/stock", {"product": "tee/l", "stock": "1"}))

    beside = page.index('id="stock-tee-2-error"')
    assert "More of this was sold." in page[beside : beside + 200]
    assert 'aria-describedby="stock-tee-2-error"' in page


@pytest.mark.parametrize("name", ["tee", "tee/xl", "cap", ""])
def test_what_has_no_stock_of_its_own_is_refused(sizes: Any, browser: Any, site: Any, name: str) -> None:
    before = len(site.puts())
    assert browser.post(f"/systems/{sizes.pk}/shop/stock", {"product": name, "stock": "5"}).status_code == 422
    assert len(site.puts()) == before


def test_a_picture_is_put_up_shown_and_taken_away_live(sizes: Any, browser: Any, other: Any, site: Any) -> None:
    address = f"/systems/{sizes.pk}/shop/pictures"
    assert browser.post(address, {"product": "tee", "picture": file()}).status_code == 302
    assert site.content["merch"]["products"][0]["picture"] == DIGEST
    assert f"{address}/{DIGEST}" in text(browser.get(f"/systems/{sizes.pk}/shop"))
    assert browser.get(f"{address}/{DIGEST}").content == IMAGE
    assert (other.get(f"{address}/{DIGEST}").status_code, other.post(address, {"product": "tee"}).status_code) == (404, 404)

    assert browser.post(address, {"product": "tee", "remove": "yes"}).status_code == 302
    assert "picture" not in site.content["merch"]["products"][0]


@pytest.mark.parametrize("sent", [{"product": "tee"}, {"product": "cap", "picture": IMAGE}, {"product": "tee", "picture": b"GIF89a"}])
def test_a_picture_that_cannot_be_is_refused_live(sizes: Any, browser: Any, sent: dict[str, Any]) -> None:
    data = {name: file(value) if name == "picture" else value for name, value in sent.items()}
    assert browser.post(f"/systems/{sizes.pk}/shop/pictures", data).status_code == 422


def test_a_draft_follows_options_and_pictures_that_were_edited_live(sizes: Any, seller: Any) -> None:
    draft = drafts.draft_of_system(user=seller, system=sizes)
    shop.stock_edit(system=sizes, stock={"tee/l": 81}, acting_user=seller)
    shop.picture_put(system=sizes, product="tee", image=IMAGE, acting_user=seller)

    row = drafts.form_of(drafts.draft_for(seller, draft.pk)).rows["products"][0]
    assert (row["options"], row["picture"]) == ("M, 100\nL, 81, 2000", DIGEST)
