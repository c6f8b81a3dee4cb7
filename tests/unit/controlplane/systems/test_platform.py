"""Which namespaces and schemas are this control plane's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from controlplane.systems import keys, platform_models, services
from controlplane.systems.models import BookingSystem, Platform
from tests.controlplane import areas_requirement

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def anew() -> Any:
    """No memory of another test's database."""
    platform_models.platform_mark.cache_clear()
    yield
    platform_models.platform_mark.cache_clear()


@pytest.fixture
def system(seller: Any) -> BookingSystem:
    return services.system_create(requirement=areas_requirement(), acting_user=seller)


def test_it_is_the_same_for_every_process_and_with_other_keys(system: BookingSystem, settings: Any, tmp_path: Path) -> None:
    mark = system.ref.platform
    assert mark

    platform_models.platform_mark.cache_clear()
    settings.CLOVE_HOME = tmp_path
    assert keys.staff_key()
    assert system.ref.platform == mark


def test_one_whose_systems_are_numbered_anew_is_another(system: BookingSystem) -> None:
    mark = system.ref.platform

    Platform.objects.all().delete()
    platform_models.platform_mark.cache_clear()
    assert system.ref.platform not in ("", mark)
