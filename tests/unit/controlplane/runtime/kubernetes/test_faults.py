"""An API server that is slow, drops connections, is overloaded or forgets: each is told, none is fatal."""

from __future__ import annotations

import itertools
import queue
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from itertools import islice
from typing import Any

import pytest

from controlplane.runtime.errors import Forbidden, RuntimeUnavailable
from controlplane.runtime.kubernetes import Api, KubernetesRuntime, watching
from controlplane.runtime.kubernetes.resources import CONFIG_MAP, POD
from controlplane.runtime.port import Health, SystemRef
from tests.unit.controlplane.runtime.kubernetes.scripted import DROP, Script, scripted

SYSTEM = SystemRef(7, "clove-7", "s")
LABELS = {"clove.dev/system": "7", "clove.dev/seller": "s", "app.kubernetes.io/managed-by": "clove"}
NOTHING: dict[str, Any] = {"metadata": {"resourceVersion": "5"}, "items": []}
MAINTENANCE = b"<html><body>We will be back shortly.</body></html>"


@pytest.fixture
def server() -> Iterator[tuple[Script, Api]]:
    with scripted() as made:
        yield made


def told_in_time(api: Api, count: int) -> list[SystemRef]:
    """The first COUNT that are told of, or fewer when there are some seconds of heartbeats before them."""
    beats = islice(watching.events(api, heartbeat_s=0.05), 100)
    return list(islice((event for event in beats if event), count))


def pod(version: str) -> dict[str, Any]:
    return {"metadata": {"name": "seat", "namespace": "clove-7", "labels": LABELS, "resourceVersion": version}}


def test_a_connection_that_is_dropped_once_is_not_even_noticed(server: tuple[Script, Api]) -> None:
    script, api = server
    script.answers = [DROP, (404, {})]

    assert KubernetesRuntime(api).observe(SYSTEM).health is Health.ABSENT


@pytest.mark.parametrize("answer", [DROP, (429, {"message": "later"}), (503, {}), (500, {"message": "etcd timed out"})])
def test_a_server_that_is_away_or_overloaded_is_a_passing_failure(server: tuple[Script, Api], answer: Any) -> None:
    script, api = server
    script.answers = [answer]

    with pytest.raises(RuntimeUnavailable):
        KubernetesRuntime(api).observe(SYSTEM)


def test_an_inventory_that_somebody_broke_is_as_none(server: tuple[Script, Api]) -> None:
    script, api = server
    namespace = {"metadata": {"name": "clove-7", "labels": LABELS}}
    script.answers = [(200, namespace), (200, {"metadata": {}, "data": {"objects": "{]", "fingerprint": "x"}}), (200, NOTHING)]

    seen = KubernetesRuntime(api).observe(SYSTEM)

    assert (seen.health, seen.fingerprint) == (Health.PROGRESSING, "")


def test_a_long_list_is_read_page_by_page(server: tuple[Script, Api]) -> None:
    script, api = server
    script.answers = [
        (200, {"items": [pod("1")], "metadata": {"continue": "more", "resourceVersion": "9"}}),
        (200, {"items": [pod("2")], "metadata": {"resourceVersion": "9"}}),
    ]

    assert len(api.items(CONFIG_MAP, "clove-7")) == 2
    assert "continue=more" in script.asked[1]


def test_a_version_that_is_too_old_lists_again_and_tells_of_everything_again(
    server: tuple[Script, Api], monkeypatch: pytest.MonkeyPatch
) -> None:
    script, api = server
    monkeypatch.setattr(watching, "WATCHED", watching.WATCHED[-1:])
    gone = {"type": "ERROR", "object": {"code": 410, "message": "too old resource version"}}
    script.answers = [
        (200, {"items": [pod("1")], "metadata": {"resourceVersion": "5"}}),
        [{"type": "MODIFIED", "object": pod("6")}, {"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": "8"}}}],
        [gone],
        (200, {"items": [pod("1")], "metadata": {"resourceVersion": "20"}}),
        [{"type": "DELETED", "object": pod("21")}],
        [],
    ]

    told = list(islice((event for event in watching.events(api, heartbeat_s=0.05) if event), 4))

    assert told == [SYSTEM] * 4
    watches = [line for line in script.asked if "watch=true" in line]
    assert ["resourceVersion=5" in watches[0], "resourceVersion=8" in watches[1], "resourceVersion=20" in watches[2]] == [True] * 3


def test_a_pod_is_told_of_when_there_is_news_of_it(server: tuple[Script, Api], monkeypatch: pytest.MonkeyPatch) -> None:
    script, api = server
    monkeypatch.setattr(watching, "WATCHED", watching.WATCHED[-1:])
    written = [pod(str(version)) | {"kind": "Pod"} for version in range(6, 9)]
    ended = pod("9") | {"kind": "Pod", "status": {"phase": "Succeeded"}}
    script.answers = [
        (200, {"items": [], "metadata": {"resourceVersion": "5"}}),
        [{"type": "ADDED", "object": written[0]}, *({"type": "MODIFIED", "object": each} for each in written[1:])],
        [{"type": "MODIFIED", "object": ended}, {"type": "DELETED", "object": ended}],
        [],
    ]

    found = watching.events(api, heartbeat_s=0.3)
    assert [next(found) for _ in range(4)] == [SYSTEM, SYSTEM, SYSTEM, None]
    asked = [line for line in script.asked if "watch=true" in line]
    assert "resourceVersion=8" in asked[1], "what is no news is not asked for again either"


def test_a_watch_that_breaks_is_begun_anew(server: tuple[Script, Api], monkeypatch: pytest.MonkeyPatch) -> None:
    script, api = server
    monkeypatch.setattr(watching, "WATCHED", watching.WATCHED[-1:])
    monkeypatch.setattr(watching, "RETRY_S", (0.01,))
    listed = (200, {"items": [pod("1")], "metadata": {"resourceVersion": "5"}})
    script.answers = [DROP, DROP, listed, DROP, (403, {"message": "no"}), listed, []]

    told = list(islice((event for event in watching.events(api, heartbeat_s=0.05) if event), 2))

    assert told == [SYSTEM] * 2


@pytest.mark.parametrize("body", [MAINTENANCE, b"", b"[]", b"null", b'{"status": "maintenance"}', b'{"items": [], "met'])
def test_what_is_no_answer_of_an_api_server_is_a_passing_failure_whatever_its_number(server: tuple[Script, Api], body: bytes) -> None:
    script, api = server
    script.answers = [(200, body)]

    for ask in (
        lambda: api.get(CONFIG_MAP, "a", "clove-7"),
        lambda: api.items(CONFIG_MAP, "clove-7"),
        lambda: api.apply({"kind": "ConfigMap", "metadata": {"name": "a", "namespace": "clove-7"}}, CONFIG_MAP),
        lambda: api.merge(CONFIG_MAP.path("a", "clove-7"), {}, name="ConfigMap a"),
    ):
        with pytest.raises(RuntimeUnavailable):
            ask()


@pytest.mark.parametrize(
    "answer",
    [(200, MAINTENANCE), (200, MAINTENANCE + b"\n"), (200, b"[1]\n"), (200, b'{"type": "ADDED", "object": null}\n')],
    ids=["page", "page with a line's end", "no object", "no event"],
)
def test_a_watch_survives_answers_that_no_api_server_gives(
    server: tuple[Script, Api], monkeypatch: pytest.MonkeyPatch, answer: Any
) -> None:
    script, api = server
    monkeypatch.setattr(watching, "WATCHED", watching.WATCHED[-1:])
    monkeypatch.setattr(watching, "RETRY_S", (0.01,))
    listed = (200, {"items": [pod("1")], "metadata": {"resourceVersion": "5"}})
    script.answers = [answer, listed, answer, listed, []]

    assert told_in_time(api, 2) == [SYSTEM] * 2


def test_a_watch_survives_a_bug_and_tells_of_it(
    server: tuple[Script, Api], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    script, api = server
    monkeypatch.setattr(watching, "WATCHED", watching.WATCHED[-1:])
    monkeypatch.setattr(watching, "RETRY_S", (0.01,))
    nameless = {"type": "ADDED", "object": {"metadata": {"labels": LABELS}}}
    listed = (200, {"items": [pod("1")], "metadata": {"resourceVersion": "5"}})
    script.answers = [listed, [nameless], listed, []]

    assert told_in_time(api, 2) == [SYSTEM] * 2
    assert "KeyError" in caplog.text


def test_without_one_of_its_watches_there_is_no_heartbeat(monkeypatch: pytest.MonkeyPatch, server: tuple[Script, Api]) -> None:
    script, api = server
    script.answers = [lambda line: [] if "watch=true" in line else (200, NOTHING)]
    ends = watching.WATCHED[-1]
    watch = watching._watch_for_ever
    monkeypatch.setattr(watching, "_watch_for_ever", lambda api, resource, *rest: resource is ends or watch(api, resource, *rest))

    with pytest.raises(RuntimeUnavailable, match="watch-pods ended"):
        list(islice(watching.events(api, heartbeat_s=0.05), 5))


class Counted(threading.Event):
    """Notes the pauses that are asked for, makes none, and is set after PAUSES of them: `scripted` sets it after a number of requests."""

    def __init__(self, pauses: int) -> None:
        super().__init__()
        self.pauses: list[float] = []
        self._most = pauses

    def wait(self, timeout: float | None = None) -> bool:
        if not self.is_set():
            self.pauses.append(timeout or 0.0)
        if len(self.pauses) == self._most:
            self.set()
        return self.is_set()


def watched(server: tuple[Script, Api], stream: Callable[[int], Any], *, pauses: int = 8, requests: int = 60) -> tuple[int, list[float]]:
    """How many watches were asked for, and the pauses between them, until there were so many PAUSES or REQUESTS. STREAM answers the nth."""
    script, api = server
    asked, stop = itertools.count(1), Counted(pauses)

    def answer(line: str) -> Any:
        if "watch=true" not in line:
            return 200, NOTHING
        if (number := next(asked)) >= requests:
            stop.set()
        return stream(number)

    script.answers = [answer]
    watching._watch_for_ever(api, POD, queue.Queue(), stop, 60.0)
    return sum("watch=true" in line for line in script.asked), stop.pauses


BOOKMARK = {"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": "8"}}}


@pytest.mark.parametrize(
    "ends",
    [
        [],
        [BOOKMARK],
        [{"type": "ERROR", "object": {"code": 500, "message": "etcd timed out"}}],
        [{"type": "ERROR", "object": {"code": 410, "message": "too old resource version"}}],
        [{"type": "ADDED", "object": pod("5")}],
    ],
    ids=["empty", "a bookmark", "an error", "gone", "the same for ever"],
)
def test_a_watch_that_ends_at_once_is_asked_for_ever_more_seldom(server: tuple[Script, Api], ends: Any) -> None:
    asked, pauses = watched(server, lambda number: ends)

    assert (asked, len(pauses)) == (8, 8)
    longest = [*watching.RETRY_S, *[watching.RETRY_S[-1]] * 3]
    assert all(most / 2 <= pause <= most for pause, most in zip(pauses, longest, strict=True)), pauses


def test_a_watch_that_has_something_to_tell_goes_on_at_once_however_short(server: tuple[Script, Api]) -> None:
    asked, pauses = watched(server, lambda number: [{"type": "MODIFIED", "object": pod(str(5 + number))}])

    assert (asked, pauses) == (60, [])


def test_a_watch_of_what_is_quiet_goes_on_at_once_when_the_server_ends_it_as_it_does(
    server: tuple[Script, Api], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "LASTED_S", 0.0)

    asked, pauses = watched(server, lambda number: [])

    assert (asked, pauses) == (60, [])


def test_a_server_that_says_when_it_may_be_asked_again_is_not_asked_before(server: tuple[Script, Api]) -> None:
    script, api = server
    script.answers = [(429, {"message": "later"}, ("Retry-After", "7"))]

    with pytest.raises(RuntimeUnavailable) as refusal:
        api.get(CONFIG_MAP, "a", "clove-7")
    assert refusal.value.retry_after_s == 7

    _, pauses = watched(server, lambda number: (429, {}, ("Retry-After", "20")), pauses=2)
    assert pauses == [20, 20]


def test_after_a_stream_that_told_something_pauses_are_short_again(server: tuple[Script, Api]) -> None:
    _, pauses = watched(server, lambda number: [{"type": "MODIFIED", "object": pod("77")}] if number == 5 else [])

    assert [pause <= watching.RETRY_S[0] for pause in pauses[:5]] == [True, False, False, False, True]


def test_credentials_are_read_anew_when_they_are_refused(server: tuple[Script, Api]) -> None:
    script, reads = server[0], list[str]()

    def configure() -> Any:
        reads.append("read")
        return server[1]._configure()

    api = Api(configure)
    script.answers = [(401, {}), (404, {})]
    assert KubernetesRuntime(api).observe(SYSTEM).health is Health.ABSENT
    assert len(reads) == 2

    script.answers = [(401, {})]
    with pytest.raises(Forbidden, match="wrong or have expired"):
        KubernetesRuntime(api).observe(SYSTEM)


def test_what_the_cluster_dates_is_read_by_the_clusters_clock(server: tuple[Script, Api], monkeypatch: pytest.MonkeyPatch) -> None:
    script, api = server
    script.answers = [(404, {})]
    api.find("/version")
    assert abs(api.now() - datetime.now(UTC)) < timedelta(seconds=60)

    monkeypatch.setattr(BaseHTTPRequestHandler, "date_time_string", lambda *_: "Thu, 01 Jan 2026 00:10:00 GMT")
    api.find("/version")

    assert abs(api.now() - datetime(2026, 1, 1, 0, 10, tzinfo=UTC)) < timedelta(seconds=60)
