"""Changing the keys that the control plane keeps secrets by: those that seal, and Django's own. The running platform need not stop.

They are lines of files in CLOVE_HOME/keys, the one in use first; the others still open what they sealed. Whoever gives them by
CLOVE_SECRET_KEYS and CLOVE_SECRET_KEY, or mounts the files, changes them there: docs/keys.md has the order of steps.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from django.db import transaction

from controlplane.lib import audit, env, keyfiles
from controlplane.systems import keys
from controlplane.systems.models import Platform, SellerSecret, SystemSecret

SEALED = (SystemSecret, SellerSecret)
"""Everything that is kept sealed, each in its column `sealed`."""


class NotOurs(Exception):
    """The keys are not in files that this process may write; the message says where they are."""


class UnderWay(Exception):
    """Somebody else changes the keys just now."""


@dataclass
class Resealed:
    """How many were sealed anew, how many were by the first key already, and those that no key opens, by name."""

    anew: int = 0
    before: int = 0
    unreadable: list[str] = field(default_factory=list)


@contextmanager
def alone() -> Iterator[None]:
    """One who changes the keys at a time: a key of another's that was overwritten, or forgotten unseen, would be one that things are
    sealed by. Raises UnderWay and NotOurs."""
    _refuse_foreign()
    path = settings.CLOVE_HOME / "keys" / ".changing"
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = path.open("a")
    except OSError as error:
        raise NotOurs(f"{path.parent} ({error.strerror})") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UnderWay from None
        yield


def new_keys() -> None:
    """Put a new sealing key and a new key of Django's before those there are. The caller is `alone`. Raises NotOurs.

    The sealing key counts at once, for every process reads the file each time; Django's from each process's next start on.
    """
    _refuse_foreign()
    _write("fernet-keys", [Fernet.generate_key().decode(), *keys.sealing_keys()])
    _write("django-secret", [keyfiles.random_text().decode(), *_django_keys()])
    audit.record("platform.keys", _platform())


def reseal() -> Resealed:
    """Seal everything by the first key that another one sealed. Twice is fine, and so is a platform that runs meanwhile."""
    done, first = Resealed(), Fernet(keys.sealing_keys()[0])
    for model in SEALED:
        for pk in model._default_manager.order_by("pk").values_list("pk", flat=True):
            with transaction.atomic():
                row = model._default_manager.select_for_update().filter(pk=pk).first()
                if row is None:
                    continue
                try:
                    first.decrypt(bytes(row.sealed))
                    done.before += 1
                    continue
                except InvalidToken:
                    pass
                try:
                    row.sealed = keys.sealer().rotate(bytes(row.sealed))
                except InvalidToken:
                    done.unreadable.append(f"{model._meta.verbose_name} {row}")
                    continue
                row.save(update_fields=["sealed"])
                done.anew += 1
    return done


def forget_old_keys() -> None:
    """Keep the first key of each file alone. The caller is `alone`, and has sealed everything anew. Raises NotOurs."""
    _refuse_foreign()
    _write("fernet-keys", keys.sealing_keys()[:1])
    _write("django-secret", _django_keys()[:1])
    audit.record("platform.old_keys", _platform())


def _platform() -> Platform:
    return Platform.objects.get_or_create(pk=Platform.ONLY)[0]


def _refuse_foreign() -> None:
    if settings.SECRET_KEYS or env.text("CLOVE_SECRET_KEY"):
        raise NotOurs("CLOVE_SECRET_KEYS and CLOVE_SECRET_KEY")


def _django_keys() -> list[str]:
    """As the file has them: this process may have begun with others."""
    return keyfiles.read_or_create(settings.CLOVE_HOME / "keys" / "django-secret", keyfiles.random_text).decode().split()


def _write(name: str, lines: list[str]) -> None:
    path = settings.CLOVE_HOME / "keys" / name
    try:
        keyfiles.replace(path, "".join(f"{line}\n" for line in lines).encode())
    except OSError as error:
        raise NotOurs(f"{path} ({error.strerror})") from error
