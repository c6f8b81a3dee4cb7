"""The container pool: registering images by their labels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from booking_templates import catalog
from controlplane.accounts.models import User
from controlplane.lib.models import AuditRow
from controlplane.pool import services
from controlplane.pool.models import Image
from controlplane.pool.selectors import pool_images
from controlplane.rendering.images import BadLabels

pytestmark = pytest.mark.django_db

LABELS = {"dev.clove.service": "seat", "dev.clove.version": "2.0.0", "dev.clove.capability.numbered": "yes"}


def test_the_bundled_images_are_registered_once() -> None:
    assert len(services.register_bundled()) == len(catalog.IMAGES)
    assert services.register_bundled() == []
    assert {image.name for image in pool_images()} == {entry.name for entry in catalog.IMAGES}


def test_a_registry_names_images_by_digest_or_tag_and_what_is_not_bundled_is_passed_over() -> None:
    digest = "sha256:" + "a" * 64
    services.register_bundled(
        [
            f"registry:5000/clove/be-auth@{digest}",
            "registry:5000/clove/be-event:2.1",
            "fe-ticket",
            f"registry:5000/clove/controlplane@{digest}",
        ]
    )

    assert {(image.ref, image.digest) for image in Image.objects.all()} == {
        (f"registry:5000/clove/be-auth:{catalog.VERSION}", digest),
        ("registry:5000/clove/be-event:2.1", ""),
        (f"fe-ticket:{catalog.VERSION}", ""),
    }


def test_an_image_that_another_registry_has_from_now_on_stays_the_same_one(seller: Any) -> None:
    """`./clove up` on a node, and images by digest afterwards; or a registry that moved."""
    before = Image.objects.get(name="be-auth")
    services.image_enable(image=before, is_enabled=False, acting_user=seller)
    for registry, letter in (("registry:5000", "a"), ("other.example", "b")):
        digest = "sha256:" + letter * 64
        (changed,) = services.register_bundled([f"{registry}/clove/be-auth@{digest}"])
        assert (changed.pk, changed.ref, changed.digest) == (before.pk, f"{registry}/clove/be-auth:{catalog.VERSION}", digest)

    assert services.register_bundled() == [], "and an update of this machine leaves it there"
    assert Image.objects.count() == len(catalog.IMAGES)
    assert not Image.objects.get(name="be-auth").enabled


def test_an_image_cannot_pass_for_a_version_that_another_one_is() -> None:
    services.image_register(ref="acme/seat:2.0.0", labels=LABELS)
    services.image_register(ref="acme/seat:2.1.0", labels=LABELS | {"dev.clove.version": "2.1.0"})

    with pytest.raises(BadLabels, match="version"):
        services.image_register(ref="acme/seat:2.1.0", labels=LABELS)

    assert {(image.ref, image.version) for image in Image.objects.all()} == {("acme/seat:2.0.0", "2.0.0"), ("acme/seat:2.1.0", "2.1.0")}


def test_what_the_catalog_says_of_an_image_survives_its_labels() -> None:
    services.register_bundled()
    images = {image.name: image for image in pool_images()}

    for entry in catalog.IMAGES:
        image = images[entry.name]
        assert (image.service, image.port, image.is_stateful) == (entry.service, entry.port, entry.stateful)
        assert dict(image.capabilities) == dict(entry.capabilities)
        assert dict(image.needed_when) == dict(entry.needed_when)
        assert dict(image.secrets) == dict(entry.secrets)
        assert (image.requires, image.calls, image.config) == (entry.requires, entry.calls, entry.config)
        assert image.path == (entry.path or f"/api/{entry.service}")
        assert vars(image.resources) == vars(entry.resources)
        for mine, theirs in ((image.liveness, entry.liveness), (image.readiness, entry.readiness), (image.startup, entry.startup)):
            assert vars(mine) == vars(theirs)


def test_an_image_that_changed_is_updated_and_stays_switched_off(seller: Any) -> None:
    image, _ = services.image_register(ref="acme/seat:2.0.0", labels=LABELS)
    services.image_enable(image=image, is_enabled=False, acting_user=seller)

    again, has_changed = services.image_register(ref="acme/seat:2.0.0", labels=LABELS, digest="sha256:" + "b" * 64)

    assert (again.pk, has_changed, again.enabled) == (image.pk, True, False)
    assert [row.action for row in AuditRow.objects.filter(subject_id=str(image.pk), subject="pool.image").order_by("id")] == [
        "image.register",
        "image.disable",
        "image.update",
    ]


def test_labels_that_cannot_be_read_register_nothing() -> None:
    with pytest.raises(BadLabels):
        services.image_register(ref="acme/x:1", labels={"dev.clove.version": "1"})

    assert not Image.objects.exists()


def test_one_bad_row_does_not_empty_the_pool() -> None:
    services.register_bundled()
    Image.objects.filter(name="be-auth").update(labels={})

    assert len(pool_images()) == len(catalog.IMAGES) - 1


def test_images_of_a_registry_are_named_by_digest_in_every_plan(tmp_path: Path) -> None:
    digest = "sha256:" + "c" * 64
    pushed = tmp_path / "pushed"
    pushed.write_text(f"registry.example:5000/clove/be-auth@{digest}\nregistry.example:5000/clove/controlplane@{digest}\n")

    call_command("setup", images=pushed, no_users=True)

    image = pool_images()[0]
    assert [one.name for one in pool_images()] == ["be-auth"]
    assert image.pinned_ref == f"registry.example:5000/clove/be-auth:{catalog.VERSION}@{digest}"
    assert not User.objects.exists()
    call_command("setup", only_users=True)
    assert User.objects.exists()
    assert [one.name for one in pool_images()] == ["be-auth"]


@pytest.mark.parametrize(
    ("cluster", "checkout", "said"),
    [
        ("", "clove", "(./clove manage setup --reset-password EMAIL makes"),
        ("10.96.0.1", "", "(kubectl -n clove exec deploy/web -- python manage.py setup --reset-password EMAIL makes"),
        ("", "", "(docker compose exec web python manage.py setup --reset-password EMAIL makes"),
    ],
    ids=["in a checkout", "on a cluster", "on a Docker host"],
)
def test_setup_says_how_a_password_is_made_anew_where_it_runs(
    cluster: str,
    checkout: str,
    said: str,
    tmp_path: Path,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / checkout).mkdir(exist_ok=True)
    settings.BASE_DIR = tmp_path
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    if cluster:
        monkeypatch.setenv("KUBERNETES_SERVICE_HOST", cluster)

    call_command("setup", only_users=True)

    assert said in capsys.readouterr().out


def test_waiting_for_a_migrated_database_ends_at_once_when_it_is() -> None:
    call_command("setup", only_wait=0.0)


def test_the_command_says_what_it_registered(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("register_images")
    call_command("register_images")

    assert "registered clove/be-auth:" in capsys.readouterr().out


def test_the_pool_that_tests_begin_with_is_the_bundled_one(seller: Any) -> None:
    assert services.register_bundled() == []
    assert Image.objects.filter(enabled=True).count() == len(catalog.IMAGES)
