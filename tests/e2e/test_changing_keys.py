"""All keys of the event on sale are changed while buyers come and go: nobody notices, and what was signed before stays good."""

from __future__ import annotations

import threading

import pytest
import requests

from tests.stack import Site, Stack

SLUG = "star-station"
BUYERS = 2


class Crowd:
    """Buyers in threads, each of whom signs up, buys and looks at the ticket, again and again. What went wrong is in `wrong`."""

    def __init__(self, clove: Stack) -> None:
        self.wrong: list[str] = []
        self.bought = 0
        self._ends = threading.Event()
        self._threads = [threading.Thread(target=self._shop, args=(clove.site(SLUG), number), daemon=True) for number in range(BUYERS)]

    def __enter__(self) -> Crowd:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.set()
        for thread in self._threads:
            thread.join(60)

    def _shop(self, site: Site, number: int) -> None:
        round_ = 0
        while not self._ends.is_set():
            round_ += 1
            try:
                site.session.headers.pop("Authorization", None)
                site.session.cookies.clear()
                site.sign_up(f"rotation-{number}-{round_}@example.com")
                order = site.buy(site.hold_any(skip=300 + number * 300 + round_))
                assert order["status"] == "ISSUED", order
                assert site.get("/api/ticket/tickets")["tickets"]
                assert site.call("GET", "/").status_code == 200
                self.bought += 1
            except (AssertionError, requests.RequestException) as error:
                self.wrong.append(f"{type(error).__name__}: {error}"[:300])


def kids(site: Site) -> set[str]:
    return {key["kid"] for key in site.get("/api/auth/jwks.json")["keys"]}


def check_in(clove: Stack, site: Site, codes: list[str]) -> list[str]:
    """What a scanner at the door says of CODES."""
    api = clove.api()
    systems = api.get(f"{clove.portal}/api/v1/systems", timeout=30).json()["results"]
    system = next(each["id"] for each in systems if each["slug"] == SLUG)
    made = api.post(f"{clove.portal}/api/v1/systems/{system}/scanners", json={"name": "정문"}, timeout=30)
    assert made.status_code == 201, made.text
    headers = {"X-Scanner-Key": made.json()["url"].partition("key=")[2]}
    answer = site.call("POST", "/api/ticket/scans", json={"scans": [{"code": code} for code in codes]}, headers=headers)
    assert answer.status_code == 200, answer.text
    return [each["result"] for each in answer.json()["results"]]


def codes_of(site: Site) -> list[str]:
    return [ticket["code"] for ticket in site.get("/api/ticket/tickets")["tickets"]]


@pytest.mark.slow
def test_buyers_notice_nothing_and_printed_tickets_are_admitted(clove: Stack) -> None:
    early: Site = clove.site(SLUG)
    early.sign_up("before-the-change@example.com")
    early.buy(early.hold_any(skip=1000))
    printed, before = codes_of(early), kids(early)

    with Crowd(clove) as crowd:
        told = clove.manage("rotate_keys", SLUG, timeout_s=180)

    assert told.endswith(f"{SLUG}: succeeded\n"), told
    assert crowd.wrong == []
    assert crowd.bought > 0
    after = kids(early)
    assert before < after  # the one of before is trusted until what it signed has run out
    assert len(early.get("/api/ticket/keys.json")["keys"]) == 2
    shown = codes_of(early)  # with the login of before
    assert shown != printed
    assert check_in(clove, early, [*printed, *shown]) == ["admitted", "used"]
