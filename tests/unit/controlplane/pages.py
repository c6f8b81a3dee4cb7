"""What the tests of pages and API share: people, clients, booking systems in some state, filled forms."""

from __future__ import annotations

from typing import Any

from django.test import Client

from controlplane.accounts.models import User
from controlplane.runtime.port import Runtime
from controlplane.systems import services
from controlplane.systems.converge import converge
from controlplane.systems.models import BookingSystem

PASSWORD = "four quiet words here"


def person(email: str, **fields: Any) -> User:
    return User.objects.create_user(email, PASSWORD, **fields)


def client_of(user: User, **options: Any) -> Client:
    """A browser that is logged in, and reads English."""
    client = Client(headers={"Accept-Language": "en"}, **options)
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def deployed(requirement: dict[str, Any], user: User, runtime: Runtime) -> BookingSystem:
    """A booking system of USER that is live."""
    system = services.system_create(requirement=requirement, acting_user=user, deploy=True)
    for _ in range(3):
        converge(system.pk, runtime=runtime)
    system.refresh_from_db()
    assert system.is_live, (system.state, system.reason)
    return system


def url(system: Any, what: str = "") -> str:
    """The address of a seller's page of SYSTEM."""
    return f"/systems/{system.pk}{what}"


def text(response: Any) -> str:
    return str(response.content.decode())


def form_data(**changes: Any) -> dict[str, Any]:
    """What a browser posts for a small valid event with areas; a value of None leaves the field out."""
    typed = {
        "title": "강변 페스티벌",
        "slug": "river",
        "field": "festival",
        "description": "이틀\r\n하늘 아래",
        "venue_name": "난지공원",
        "venue_address": "서울",
        "numbered": "no",
        "running_minutes": "120",
        "areas.a1.name": "스탠딩",
        "areas.a1.capacity": "300",
        "areas.a1.grade": "GA",
        "grades.g1.name": "GA",
        "grades.g1.price_krw": "66,000",
        "grades.g1.color": "#aa0000",
        "performances.p1.starts_at": "2090-01-10T19:30",
        "opens_at": "2020-01-01T00:00",
        "closes_at": "2090-01-10T18:30",
        "limit_per_buyer": "4",
        "hold_minutes": "7",
        "payment": "kakaopay",
        "merchandise": "no",
        **changes,
    }
    return {name: value for name, value in typed.items() if value is not None}


def without_static_files(settings: Any) -> None:
    """Take out the middleware that reads all static files whenever a client is made."""
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "whitenoise" not in name]
