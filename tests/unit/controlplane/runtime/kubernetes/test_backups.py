"""How a backup that is made daily goes, as a cluster tells it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import translation

from controlplane.runtime.kubernetes import Api
from controlplane.runtime.kubernetes.backups import backup
from controlplane.runtime.port import Backup, SystemRef
from controlplane.systems.runtime_words import say_runtime
from tests.unit.controlplane.runtime.kubernetes.scripted import Script, scripted

SYSTEM = SystemRef(7, "clove-7", "seller-1")
YESTERDAY, TODAY, FAILED_AT = "2026-11-20T19:00:40Z", "2026-11-21T19:00:00Z", "2026-11-21T19:03:00Z"


@pytest.fixture
def server() -> Iterator[tuple[Script, Api]]:
    with scripted() as made:
        yield made


def cron_job(**status: str) -> dict[str, Any]:
    return {"metadata": {"name": "mariadb-backup", "uid": "c"}, "status": status}


def job(name: str, *, owner: str = "c", failed_at: str = FAILED_AT) -> dict[str, Any]:
    conditions = [{"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded", "lastTransitionTime": failed_at}]
    return {
        "metadata": {"name": name, "ownerReferences": [{"uid": owner}]},
        "spec": {"template": {"spec": {"containers": [{"name": "backup"}]}}},
        "status": {"conditions": [*conditions, {"type": "FailureTarget", "status": "True", "lastTransitionTime": failed_at}]},
    }


def pod(name: str, made_at: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "creationTimestamp": made_at}}


def answering(script: Script, jobs: list[dict[str, Any]], log: str) -> None:
    def answer(line: str) -> Any:
        if "/log?" in line:
            return 200, log.encode()
        items = jobs if "/jobs?" in line else [pod("b-2", "2026-11-21T19:02:00Z"), pod("b-1", "2026-11-21T19:00:00Z")]
        return 200, {"metadata": {}, "items": items}

    script.answers = [answer]


def test_a_system_without_one_says_nothing(server: tuple[Script, Api]) -> None:
    assert backup(server[1], SYSTEM, []) is None
    assert server[0].asked == []


@pytest.mark.parametrize(
    "status", [{}, {"lastScheduleTime": TODAY, "lastSuccessfulTime": "2026-11-21T19:00:09Z"}], ids=["never due", "good"]
)
def test_while_all_is_well_nothing_more_is_asked(server: tuple[Script, Api], status: dict[str, str]) -> None:
    assert backup(server[1], SYSTEM, [cron_job(**status)]) == Backup(status.get("lastSuccessfulTime", ""))
    assert server[0].asked == []


def test_one_that_is_being_made_is_no_failure(server: tuple[Script, Api]) -> None:
    script, api = server
    answering(script, [job("before", failed_at="2026-11-19T19:00:00Z"), job("theirs", owner="x")], "")

    assert backup(api, SYSTEM, [cron_job(lastScheduleTime=TODAY, lastSuccessfulTime=YESTERDAY)]) == Backup(YESTERDAY)


@pytest.mark.parametrize(
    ("log", "message", "korean"),
    [
        ("gzip: stdout: No space left on device", "The volume for the backups is full.", "백업 볼륨이 가득 찼습니다."),
        ("The dump is not whole.", "The backup that was written could not be read again.", "기록한 백업을 다시 읽을 수 없었습니다."),
        (
            "mariadb-dump: Got error: 1049: Unknown database seat",
            "The backup failed: mariadb-dump: Got error: 1049: Unknown database seat",
            "백업하지 못했습니다: mariadb-dump: Got error: 1049: Unknown database seat",
        ),
    ],
)
def test_why_the_last_one_failed_is_said_in_words(server: tuple[Script, Api], log: str, message: str, korean: str) -> None:
    script, api = server
    answering(script, [job("b", failed_at="2026-11-21T19:01:00Z"), job("a")], log)

    told = backup(api, SYSTEM, [cron_job(lastScheduleTime=TODAY, lastSuccessfulTime=YESTERDAY)])

    assert told == Backup(YESTERDAY, FAILED_AT, message)
    assert "/pods/b-2/log" in script.asked[-1]
    with translation.override("ko"):
        assert say_runtime(message) == korean


def test_one_that_never_ran_says_what_the_cluster_says(server: tuple[Script, Api]) -> None:
    script, api = server
    answering(script, [job("a")], "")

    assert backup(api, SYSTEM, [cron_job(lastScheduleTime=TODAY)]) == Backup("", FAILED_AT, "The backup failed: BackoffLimitExceeded")
