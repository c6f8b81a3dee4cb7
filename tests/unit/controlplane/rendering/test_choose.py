"""Choosing images from the pool by their labels."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from booking_templates import catalog
from controlplane.rendering.choose import NoImageFits, choose
from controlplane.rendering.images import BadLabels, PoolImage, from_labels

ALL_YES = {"numbered": "yes", "kakaopay": "yes", "merchandise": "yes"}


def bundled() -> list[PoolImage]:
    return [from_labels(ref=entry.ref, labels=entry.labels) for entry in catalog.IMAGES]


def names(pool: list[PoolImage], facts: dict[str, str]) -> list[str]:
    return [image.name for image in choose(pool, facts).images]


def without_service(service: str) -> list[PoolImage]:
    return [image for image in bundled() if image.service != service]


@pytest.mark.parametrize("numbered", ["yes", "no"])
@pytest.mark.parametrize("pays", ["yes", "no"])
@pytest.mark.parametrize("sells_merchandise", ["yes", "no"])
def test_each_of_the_eight_variants_is_made_of_the_images_named_for_it(numbered: str, pays: str, sells_merchandise: str) -> None:
    kakao = "kakao" if pays == "yes" else "no-kakao"
    merch = [f"be-merch-{kakao}"] if sells_merchandise == "yes" else []

    chosen = names(bundled(), {"numbered": numbered, "kakaopay": pays, "merchandise": sells_merchandise})

    assert chosen == ["be-auth", "be-event", *merch, f"be-seat-{numbered}-number-{pays}-kakao", f"be-ticket-{kakao}", "fe-ticket"]


def test_each_choice_and_each_miss_says_why() -> None:
    chosen = choose(bundled(), ALL_YES | {"merchandise": "no"})
    why = {choice.image.name: [reason.message for reason in choice.why] for choice in chosen.choices}
    why_not = {miss.image.name: [reason.message for reason in miss.why_not] for miss in chosen.misses}

    assert why["be-seat-yes-number-yes-kakao"] == [
        "kakaopay is yes, as the requirement asks.",
        "numbered is yes, as the requirement asks.",
    ]
    assert why_not["be-seat-no-number-yes-kakao"] == ["numbered is no, but the requirement asks for yes."]
    assert why_not["be-merch-kakao"] == ["The requirement does without the merch service."]
    assert len(why) + len(why_not) == len(catalog.IMAGES)


@pytest.mark.parametrize("service", ["auth", "event", "seat", "ticket"])
def test_a_service_that_the_pages_require_is_missed_by_name_when_the_pool_has_none(service: str) -> None:
    with pytest.raises(NoImageFits) as caught:
        choose(without_service(service), ALL_YES)

    assert caught.value.service == service
    assert caught.value.reason.code == "no_image"


def test_a_pool_without_pages_cannot_sell() -> None:
    with pytest.raises(NoImageFits) as caught:
        choose(without_service("web"), ALL_YES)

    assert caught.value.reason.code == "no_pages"


def test_an_empty_pool_fits_nothing() -> None:
    with pytest.raises(NoImageFits):
        choose([], ALL_YES)


def test_the_capability_that_is_missing_is_named() -> None:
    pool = [image for image in bundled() if image.name != "be-ticket-kakao"]

    with pytest.raises(NoImageFits) as caught:
        choose(pool, ALL_YES)

    assert caught.value.service == "ticket"
    assert caught.value.reason.message == "No image of the ticket service in the container pool fits: kakaopay=yes."
    assert [miss.image.name for miss in caught.value.misses] == ["be-ticket-no-kakao"]


def test_an_image_that_is_switched_off_is_not_chosen_and_its_service_still_wanted() -> None:
    pool = [replace(image, is_enabled=image.service != "merch") for image in bundled()]

    with pytest.raises(NoImageFits) as caught:
        choose(pool, ALL_YES)

    assert caught.value.service == "merch"
    assert "switched off" in caught.value.reason.message


def test_of_two_versions_that_fit_the_newer_is_chosen_as_people_count() -> None:
    auth = next(image for image in bundled() if image.name == "be-auth")
    versions = [replace(auth, version=version, ref=f"clove/be-auth:{version}") for version in ("1.9.0", "1.10.0", "1.2.0")]

    chosen = choose([*without_service("auth"), *versions], ALL_YES)

    best = next(choice for choice in chosen.choices if choice.image.service == "auth")
    assert best.image.version == "1.10.0"
    assert [reason.code for reason in best.why] == ["chosen_version"]
    assert {miss.image.version for miss in chosen.misses if miss.image.service == "auth"} == {"1.9.0", "1.2.0"}


def test_a_capability_the_requirement_has_no_word_for_is_no_hindrance() -> None:
    pool = [replace(image, capabilities={**image.capabilities, "waiting-room": "yes"}) for image in bundled()]

    assert names(pool, ALL_YES) == names(bundled(), ALL_YES)


def test_a_service_nobody_thought_of_joins_by_its_labels_alone() -> None:
    labels = {"dev.clove.service": "parking", "dev.clove.version": "1", "dev.clove.needed-when": "merchandise=yes"}
    pool = [*bundled(), from_labels(ref="acme/parking:1", labels=labels)]

    assert "parking" in [image.service for image in choose(pool, ALL_YES).images]
    assert "parking" not in [image.service for image in choose(pool, ALL_YES | {"merchandise": "no"}).images]


def test_the_choice_does_not_depend_on_the_order_of_the_pool() -> None:
    pool = bundled()
    expected = choose(pool, ALL_YES)

    for seed in range(10):
        random.Random(seed).shuffle(pool)
        assert choose(pool, ALL_YES) == expected


@pytest.mark.parametrize(
    ("label", "value"),
    [
        ("service", "Not A Name"),
        ("service", ""),
        ("version", "1 0"),
        ("port", "0"),
        ("port", "99999"),
        ("port", "٣"),
        ("path", "api"),
        ("path", "/a\nb"),
        ("stateful", "perhaps"),
        ("calls", "a;b"),
        ("secrets", "a"),
        ("needed-when", "=yes"),
        ("resources", "cpu=1"),
        ("resources", "cpu=5/1 memory=1/2 scratch=1"),
        ("resources", "cpu=a/b memory=1/2 scratch=1"),
        ("probe.readiness", "readyz"),
        ("probe.readiness", "/readyz period=0"),
        ("probe.liveness", ""),
        ("storage-mib", "-5"),
        ("service", "x" * 2_000),
    ],
)
def test_labels_that_cannot_be_understood_are_named(label: str, value: str) -> None:
    labels = {"dev.clove.service": "auth", "dev.clove.version": "1", f"dev.clove.{label}": value}

    with pytest.raises(BadLabels) as caught:
        from_labels(ref="acme/auth:1", labels=labels)

    assert caught.value.reason.params["label"] == f"dev.clove.{label}"


def test_a_digest_pins_the_reference() -> None:
    image = from_labels(
        ref="registry:5000/acme/auth:1", labels={"dev.clove.service": "auth", "dev.clove.version": "1"}, digest="sha256:" + "a" * 64
    )

    assert (image.name, image.pinned_ref) == ("auth", "registry:5000/acme/auth:1@sha256:" + "a" * 64)
