"""The smoke check of a booking system, through its public address, as the first buyer would find it."""

from __future__ import annotations

import functools
from collections.abc import Callable

from controlplane.lib import together
from controlplane.rendering.plan import Plan
from controlplane.systems import secrets
from controlplane.systems.booking_api import Answer, BookingApi
from controlplane.systems.models import BookingSystem
from controlplane.systems.outcomes import Failed


def check(system: BookingSystem, plan: Plan, api: BookingApi, *, performance_id: str) -> None:
    """Token keys verify, the page of a performance opens, and a place to try it out with is held and released by the real code.

    What a plan has no service for is not checked. Raises Failed for a wrong answer, booking_api.Silent for none.
    """
    wanted = secrets.public_token_keys(system, plan)

    def page(path: str) -> Answer:
        answer = api.get(path)
        if answer.status != 200:
            raise Failed("check_page", path=path, status=answer.status)
        return answer

    def keys() -> None:
        if wanted:
            answer = page("/api/auth/jwks.json")
            published = answer.document.get("keys", []) if isinstance(answer.document, dict) else []
            if not wanted <= {key.get("kid") for key in published if isinstance(key, dict)}:
                raise Failed("check_keys")

    def probe() -> None:
        if plan.service("seat"):
            answer = api.post("/api/seat/probe", {})
            if not answer.is_success:
                raise Failed("check_probe", detail=answer.detail)

    looks: tuple[Callable[[], object], ...] = (
        keys,
        functools.partial(page, "/"),
        functools.partial(page, f"/performances/{performance_id}"),
        probe,
    )
    together.each(lambda look: look(), looks)
