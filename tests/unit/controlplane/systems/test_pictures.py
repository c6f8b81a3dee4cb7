"""Pictures of products: kept for their seller, given to the shop, changed while it is live, forgotten when nothing names them."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from controlplane.accounts.models import User
from controlplane.jobs import tasks
from controlplane.systems import pictures, sealed, services, shop
from controlplane.systems.converge import converge
from controlplane.systems.errors import PictureRefused, Refused, RequirementInvalid
from controlplane.systems.models import BookingSystem, Picture, SellerSecret, State
from tests.controlplane import Site, SiteRuntime, numbered_requirement
from tests.pictures import png
from tests.unit.controlplane.pages import deployed, person

pytestmark = pytest.mark.django_db(transaction=True)

RED, BLUE = png(colour=(200, 0, 0)), png(colour=(0, 0, 200))


def digest_of(image: bytes) -> str:
    return hashlib.sha256(image).hexdigest()


def with_picture(image: bytes) -> dict[str, Any]:
    product = {"id": "program", "name": "프로그램북", "price_krw": 15000, "stock": 50, "picture": digest_of(image)}
    return numbered_requirement(products=[product])


class Shop:
    """The merch service's part: keeps pictures by digest, and refuses content that names one it lacks."""

    def __init__(self, site: Site) -> None:
        self.kept: dict[str, bytes] = {}
        self.site = site
        site.before_answer = self._take
        site.answers["PUT", "/api/merch/content"] = self._content
        site.answers["GET", "/api/merch/content"] = lambda _: (200, site.content.get("merch", {}))

    def _take(self, method: str, path: str) -> None:
        if method == "PUT" and path.startswith("/api/merch/pictures/"):
            image = self.site.bodies[-1]
            assert digest_of(image) == path.rsplit("/", 1)[1]
            self.kept[digest_of(image)] = image

    def _content(self, _: str) -> tuple[int, Any]:
        content = json.loads(self.site.bodies[-1])
        missing = sorted({each["picture"] for each in content["products"] if each.get("picture")} - self.kept.keys())
        if missing:
            return 409, {"code": "unknown_pictures", "detail": "Put these pictures first.", "pictures": missing}
        self.site.content["merch"] = content
        return 200, {}

    def shown(self) -> Any:
        return self.site.content["merch"]["products"][0].get("picture")


@pytest.fixture
def merch(site: Site) -> Shop:
    return Shop(site)


def old(picture: Picture) -> None:
    Picture.objects.filter(pk=picture.pk).update(given_at=timezone.now() - pictures.FORGET_AFTER - timedelta(hours=1))


def settled(system: BookingSystem, runtime: SiteRuntime) -> BookingSystem:
    for _ in range(4):
        converge(system.pk, runtime=runtime)
    system.refresh_from_db()
    return system


def test_the_same_bytes_are_one_picture_of_their_seller_alone(seller: User) -> None:
    first, again = (pictures.picture_keep(owner=seller, content=RED) for _ in range(2))
    other = person("other@example.kr")

    assert (first.pk, first.digest, first.width) == (again.pk, digest_of(RED), 2)
    assert pictures.picture_bytes(seller, first.digest) == ("image/png", RED)
    assert pictures.picture_bytes(other, first.digest) is None


@pytest.mark.parametrize(("content", "code"), [(b"<svg/>", "not_a_picture"), (RED + bytes(pictures.BYTES_MAX), "picture_too_large")])
def test_what_is_no_picture_or_too_large_is_not_kept(seller: User, content: bytes, code: str) -> None:
    with pytest.raises(PictureRefused) as caught:
        pictures.picture_keep(owner=seller, content=content)
    assert caught.value.reason.code == code
    assert not Picture.objects.exists()


def test_there_is_an_end_to_them(seller: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "AT_MOST", 1)
    pictures.picture_keep(owner=seller, content=RED)
    pictures.picture_keep(owner=seller, content=RED)
    with pytest.raises(PictureRefused):
        pictures.picture_keep(owner=seller, content=BLUE)


def test_a_requirement_names_only_what_its_seller_has_given(seller: User) -> None:
    pictures.picture_keep(owner=person("other@example.kr"), content=RED)
    with pytest.raises(RequirementInvalid) as caught:
        services.system_create(requirement=with_picture(RED), acting_user=seller)
    assert [(problem.path, problem.code) for problem in caught.value.problems] == [("products[0].picture", "unknown_picture")]


def test_the_shop_is_given_what_pictures_it_lacks_before_its_content(seller: User, runtime: SiteRuntime, site: Site, merch: Shop) -> None:
    pictures.picture_keep(owner=seller, content=RED)
    system = deployed(with_picture(RED), seller, runtime)
    settled(system, runtime)

    asked = [path for method, path in site.calls if method == "PUT" and path.startswith("/api/merch")]
    assert asked == ["/api/merch/content", f"/api/merch/pictures/{digest_of(RED)}", "/api/merch/content"]
    assert (merch.kept, merch.shown()) == ({digest_of(RED): RED}, digest_of(RED))


def test_a_picture_that_is_gone_ends_the_deployment_with_words(seller: User, runtime: SiteRuntime, merch: Shop) -> None:
    pictures.picture_keep(owner=seller, content=RED)
    system = services.system_create(requirement=with_picture(RED), acting_user=seller, deploy=True)
    Picture.objects.all().delete()

    assert settled(system, runtime).state == State.FAILED
    assert (system.reason_code, system.reason_params) == ("pictures_missing", {"count": 1})


def test_a_picture_is_changed_and_taken_away_while_the_shop_is_live(seller: User, runtime: SiteRuntime, merch: Shop) -> None:
    system = deployed(numbered_requirement(), seller, runtime)

    shop.picture_put(system=system, product="program", image=BLUE, acting_user=seller)
    assert (merch.shown(), shop.pictures_shown(system=system, user=seller)) == (digest_of(BLUE), {"program": digest_of(BLUE)})
    assert system.requirement
    assert system.requirement.data["products"][0]["picture"] == digest_of(BLUE)

    shop.picture_delete(system=system, product="program", acting_user=seller)
    assert merch.shown() is None
    system.refresh_from_db()
    assert system.requirement
    assert "picture" not in system.requirement.data["products"][0]


def test_there_is_no_picture_of_a_product_that_is_not_sold(seller: User, runtime: SiteRuntime, merch: Shop) -> None:
    system = deployed(numbered_requirement(), seller, runtime)
    with pytest.raises(Refused, match="no product hat"):
        shop.picture_put(system=system, product="hat", image=BLUE, acting_user=seller)


def test_a_picture_is_kept_while_something_names_it(seller: User, runtime: SiteRuntime, merch: Shop) -> None:
    red = pictures.picture_keep(owner=seller, content=RED)
    system = deployed(with_picture(RED), seller, runtime)
    unused = pictures.picture_keep(owner=seller, content=png(3, 3))
    old(red)
    old(unused)

    pictures.forget_unused(seller)
    assert list(Picture.objects.values_list("pk", flat=True)) == [red.pk]

    # One that was shown before the change that is live now is wanted no more.
    shop.picture_delete(system=system, product="program", acting_user=seller)
    pictures.forget_unused(seller)
    assert Picture.objects.filter(pk=red.pk).exists()
    services.system_update(system=system, requirement=numbered_requirement(), acting_user=seller)
    settled(system, runtime)
    pictures.forget_unused(seller)
    assert not Picture.objects.exists()


def test_a_new_picture_is_not_forgotten_before_anything_could_name_it(seller: User) -> None:
    pictures.picture_keep(owner=seller, content=RED)
    pictures.forget_unused(seller)
    assert Picture.objects.count() == 1


def test_what_nothing_names_goes_without_its_seller_coming_back(seller: User) -> None:
    other = person("other@example.kr")
    old(pictures.picture_keep(owner=seller, content=RED))
    pictures.picture_keep(owner=other, content=RED)
    secret = sealed.secret_keep(owner=other, text="vertippt")
    SellerSecret.objects.update(given_at=timezone.now() - sealed.FORGET_AFTER - timedelta(hours=1))

    tasks.forget_unnamed()
    tasks.forget_unnamed()

    assert [picture.seller for picture in Picture.objects.all()] == [other]
    assert not SellerSecret.objects.filter(pk=secret.pk).exists()


def test_what_a_failed_change_gave_is_taken_back_with_its_picture(seller: User, runtime: SiteRuntime, merch: Shop, site: Site) -> None:
    pictures.picture_keep(owner=seller, content=RED)
    system = deployed(with_picture(RED), seller, runtime)
    merch.kept.clear()  # as if it had forgotten
    BookingSystem.objects.filter(pk=system.pk).update(content_given=system.content_given | {"merch": "being edited"})

    settled(system, runtime)
    assert (merch.shown(), system.content_given) == (digest_of(RED), system.content_live)
