"""The accounts that a new platform begins with, and a way back in when a password is lost."""

from __future__ import annotations

import secrets

from django.db import transaction

from controlplane.accounts.models import Role, User
from controlplane.lib import audit

ADMIN_EMAIL = "admin@clove.localhost"
SELLER_EMAIL = "seller@clove.localhost"
PASSWORD_BYTES = 12


@transaction.atomic
def first_users_create() -> list[tuple[str, str]]:
    """An admin and an example seller with generated passwords, on a platform that has no user yet; e-mail and password of each.

    The passwords are known only now. Empty when there are users.
    """
    if User.objects.exists():
        return []
    made = []
    for email, name, role in ((ADMIN_EMAIL, "Admin", Role.ADMIN), (SELLER_EMAIL, "예시 기획사", Role.SELLER)):
        password = secrets.token_urlsafe(PASSWORD_BYTES)
        create = User.objects.create_superuser if role == Role.ADMIN else User.objects.create_user
        user = create(email, password, name=name)
        audit.record("user.first", user, role=role.value)
        made.append((email, password))
    return made


@transaction.atomic
def password_generate(*, user: User) -> str:
    """Give USER a new generated password, which is known only now; sessions under the old one end."""
    password = secrets.token_urlsafe(PASSWORD_BYTES)
    user.set_password(password)
    user.save(update_fields=["password"])
    audit.record("user.password_generate", user)
    return password
