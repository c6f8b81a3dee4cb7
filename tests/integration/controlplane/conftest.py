import pytest

from controlplane.accounts.models import Role, User
from tests.controlplane import *  # noqa: F403  (fixtures)


@pytest.fixture
def admin(db: None) -> User:
    return User.objects.create_user("admin@example.kr", "pw", role=Role.ADMIN)
