"""New keys for what the control plane keeps sealed, while it runs."""

from __future__ import annotations

import stat
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet, InvalidToken
from django.core import signing
from django.core.management import CommandError, call_command

from controlplane.accounts.models import User
from controlplane.lib.models import AuditRow
from controlplane.rendering.plan import Plan
from controlplane.systems import keys, planning, sealed, secrets, services
from controlplane.systems.management.commands import rotate_platform_keys as command
from controlplane.systems.models import BookingSystem, SellerSecret, SystemSecret
from controlplane.systems.planning import stored_requirement
from controlplane.systems.resealing import SEALED, Resealed, reseal
from tests.controlplane import areas_requirement

pytestmark = pytest.mark.django_db


@pytest.fixture
def system(seller: User) -> BookingSystem:
    return services.system_create(requirement=areas_requirement(), acting_user=seller)


@pytest.fixture
def plan(system: BookingSystem) -> Plan:
    requirement = stored_requirement(system)
    assert requirement
    return planning.plan_for(requirement, planning.site_of(system)).plan


@pytest.fixture
def made(system: BookingSystem, plan: Plan, seller: User) -> dict[str, dict[str, str]]:
    """The system's secrets, beside one that its seller typed."""
    sealed.secret_keep(owner=seller, text="geheim")
    return secrets.secrets_for(system, plan)


def lines(home: Path, name: str) -> list[str]:
    return (home / "keys" / name).read_text().split()


def rotate(*options: str) -> str:
    out = StringIO()
    call_command("rotate_platform_keys", *options, stdout=out)
    return out.getvalue()


def opens(key: str) -> bool:
    """Whether KEY alone opens everything."""
    try:
        for model in SEALED:
            for row in model._default_manager.all():
                Fernet(key).decrypt(bytes(row.sealed))
    except InvalidToken:
        return False
    return True


def test_everything_is_sealed_by_the_new_key_and_the_old_one_still_opens(
    made: dict[str, dict[str, str]], system: BookingSystem, plan: Plan, private_home: Path, seller: User
) -> None:
    (old,) = lines(private_home, "fernet-keys")
    backup = {row.pk: bytes(row.sealed) for row in SystemSecret.objects.all()}
    count = len(backup) + SellerSecret.objects.count()

    assert f"sealed anew: {count}; sealed by the first key already: 0" in rotate()

    new, kept = lines(private_home, "fernet-keys")
    assert kept == old != new
    assert opens(new)
    assert secrets.secrets_for(system, plan) == made
    assert sealed.secret_text(seller.pk, SellerSecret.objects.get().reference) == "geheim"
    assert all(keys.unseal(text) for text in backup.values())
    assert stat.S_IMODE((private_home / "keys" / "fernet-keys").stat().st_mode) == 0o600
    assert AuditRow.objects.filter(action="platform.keys").exists()


def test_again_seals_nothing_that_is_sealed_by_the_first_key(made: dict[str, dict[str, str]]) -> None:
    assert reseal().anew == 0
    assert reseal() == Resealed(0, SystemSecret.objects.count() + 1)


def test_old_keys_are_forgotten_only_when_asked_and_nothing_needs_them(
    made: dict[str, dict[str, str]], system: BookingSystem, plan: Plan, private_home: Path
) -> None:
    rotate()
    (new, old) = lines(private_home, "fernet-keys")
    SellerSecret.objects.update(sealed=Fernet(old).encrypt(b"of a process that was about to write"))

    rotate("--forget-old")

    assert lines(private_home, "fernet-keys") == [new]
    assert len(lines(private_home, "django-secret")) == 1
    assert opens(new)
    assert AuditRow.objects.filter(action="platform.old_keys").exists()


def test_a_key_that_another_command_puts_in_front_meanwhile_is_not_forgotten_with_the_old(
    made: dict[str, dict[str, str]], private_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rotate()

    def meanwhile() -> Resealed:
        done = reseal()
        monkeypatch.setattr(command, "reseal", reseal)
        with pytest.raises(CommandError, match="under way"):
            rotate()
        return done

    monkeypatch.setattr(command, "reseal", meanwhile)
    rotate("--forget-old")
    (left,) = lines(private_home, "fernet-keys")
    assert opens(left)


def test_what_no_key_opens_is_named_and_no_key_is_forgotten_for_it(made: dict[str, dict[str, str]], private_home: Path) -> None:
    rotate()
    row = SystemSecret.objects.order_by("pk").first()
    assert row
    row.sealed = Fernet(Fernet.generate_key()).encrypt(b"{}")
    row.save()

    with pytest.raises(CommandError, match=f"{row.system_id} {row.name}"):
        rotate("--forget-old")

    assert len(lines(private_home, "fernet-keys")) == 2


def test_djangos_key_is_another_and_the_one_of_before_still_counts(private_home: Path, settings: Any) -> None:
    rotate()
    first, before = lines(private_home, "django-secret")
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = before, []
    text = signing.dumps("17")

    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = first, [before]
    assert signing.loads(text) == "17"
    settings.SECRET_KEY_FALLBACKS = []
    with pytest.raises(signing.BadSignature):
        signing.loads(text)


def test_keys_that_are_given_by_the_environment_are_left_to_who_gives_them(
    made: dict[str, dict[str, str]], private_home: Path, settings: Any
) -> None:
    (old,) = lines(private_home, "fernet-keys")
    new = Fernet.generate_key().decode()
    settings.SECRET_KEYS = [new, old]

    for options in ((), ("--forget-old",)):
        with pytest.raises(CommandError, match="CLOVE_SECRET_KEYS"):
            rotate(*options)
    rotate("--only-reseal")

    assert opens(new)
    assert lines(private_home, "fernet-keys") == [old]


def test_keys_in_files_that_are_not_ours_to_write_are_named(private_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keys.sealer()

    def refused(*_: Any) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("controlplane.systems.resealing.keyfiles.replace", refused)
    with pytest.raises(CommandError, match=r"fernet-keys \(Read-only file system\)"):
        rotate()
    assert len(lines(private_home, "fernet-keys")) == 1
