"""The router over real sockets: what reaches a replica, what comes back, and what never passes."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator

import pytest

from controlplane.lib.proxies import networks
from controlplane.runtime.local.router.table import Absence
from tests.integration.runtime_local.routed import Routed, answering, read_all, read_head, recording, routed
from tests.ports import free_port
from tests.runtime_contract.supervised import eventually

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
HEAD = b"Host: a.localhost\r\n"
LAST = HEAD + b"Connection: close\r\n"


@pytest.fixture
def router() -> Iterator[Routed]:
    yield from routed()


def test_a_request_reaches_the_replica_with_what_the_router_adds(router: Routed) -> None:
    seen: list[bytes] = []
    router.serve_from(router.replica(answering(OK, seen)))

    answer = router.ask(b"GET /a?b=c HTTP/1.1\r\n" + LAST + b"X-Forwarded-For: 10.1.1.1\r\nCookie: a=b\r\n\r\n")

    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert answer.endswith(b"\r\n\r\nok")
    (head,) = seen
    assert re.fullmatch(
        b"GET /a\\?b=c HTTP/1.1\r\nhost: a.localhost\r\nCookie: a=b\r\nx-forwarded-for: 127.0.0.1\r\nx-forwarded-proto: http\r\n"
        b"x-forwarded-host: a.localhost\r\nx-request-id: [0-9a-f]+-[0-9a-f]+\r\n\r\n",
        head,
    )


@pytest.mark.parametrize(
    ("sent", "client", "scheme"),
    [
        (b"X-Forwarded-For: 6.6.6.6, 203.0.113.9\r\nX-Forwarded-Proto: https\r\n", b"203.0.113.9", b"https"),
        (b"X-Forwarded-For: 6.6.6.6\r\nx-forwarded-for: [2001:db8::7]:443\r\n", b"2001:db8::7", b"http"),
        (b"X-Forwarded-For: 203.0.113.9, 127.0.0.2\r\nX-Forwarded-Proto: gopher\r\n", b"203.0.113.9", b"http"),
        (b"X-Forwarded-For: \xff<script>\r\n", b"127.0.0.1", b"http"),
        (b"", b"127.0.0.1", b"http"),
    ],
)
def test_a_proxy_of_ones_own_says_who_asks_and_how(router: Routed, sent: bytes, client: bytes, scheme: bytes) -> None:
    router.router.trusted = networks(["127.0.0.0/8"])
    seen: list[bytes] = []
    router.serve_from(router.replica(answering(OK, seen)))

    router.ask(b"GET /a HTTP/1.1\r\n" + LAST + sent + b"\r\n")

    assert re.findall(b"(?i)\r\nx-forwarded-for: ([^\r]*)", seen[0]) == [client]
    assert re.findall(b"(?i)\r\nx-forwarded-proto: ([^\r]*)", seen[0]) == [scheme]


def test_who_is_no_proxy_of_ones_own_says_nothing_of_itself(router: Routed) -> None:
    router.router.trusted = networks(["10.0.0.0/8"])
    seen: list[bytes] = []
    router.serve_from(router.replica(answering(OK, seen)))

    router.ask(b"GET /a HTTP/1.1\r\n" + LAST + b"X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Proto: https\r\n\r\n")

    assert b"\r\nx-forwarded-for: 127.0.0.1\r\nx-forwarded-proto: http\r\n" in seen[0]
    assert b"6.6.6.6" not in seen[0]


def test_one_connection_carries_many_requests_on_either_side(router: Routed) -> None:
    connections = 0

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await answering(OK)(reader, writer)

    router.serve_from(router.replica(talk))
    with router.connect() as connection:
        for _ in range(5):
            connection.sendall(b"GET / HTTP/1.1\r\n" + HEAD + b"\r\n")
            assert connection.recv(1000).endswith(b"ok")

    assert connections == 1


def test_requests_sent_ahead_are_answered_in_their_order(router: Routed) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            target = (await read_head(reader)).split(b" ")[1]
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(target), target))

    router.serve_from(router.replica(talk))
    many = b"".join(b"GET /%d HTTP/1.1\r\n" % number + HEAD + b"\r\n" for number in range(20))

    answer = router.ask(many + b"GET /internal HTTP/1.1\r\n" + HEAD + b"\r\nGET /last HTTP/1.1\r\n" + LAST + b"\r\n")

    assert re.findall(rb"\r\n\r\n(/[a-z0-9]+)", answer) == [b"/%d" % number for number in range(20)] + [b"/last"]
    assert answer.count(b"HTTP/1.1 404 ") == 1


@pytest.mark.parametrize("size", [0, 1, 100_000, 5_000_000])
def test_bodies_pass_whole_both_ways_with_a_length(router: Routed, size: int) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await read_head(reader)
        length = int(re.search(rb"content-length: (\d+)", head)[1])  # type: ignore[index]
        body = await reader.readexactly(length)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body[::-1])
        await writer.drain()

    router.serve_from(router.replica(talk))
    body = bytes(number % 251 for number in range(size))

    answer = router.ask(b"POST / HTTP/1.1\r\n" + LAST + b"Content-Length: %d\r\n\r\n" % size + body)

    assert answer.partition(b"\r\n\r\n")[2] == body[::-1]


def test_chunked_bodies_pass_both_ways_and_are_framed_anew(router: Routed) -> None:
    seen: list[bytes] = []
    response = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;ext=1\r\nabc\r\n4\r\ndefg\r\n0\r\nX-Trailer: 1\r\n\r\n"
    router.serve_from(router.replica(recording(seen, response)))

    answer = router.ask(b"POST / HTTP/1.1\r\n" + LAST + b"Transfer-Encoding: Chunked\r\n\r\n5;x=y\r\nhello\r\n0\r\nX: 1\r\n\r\n")

    assert seen[0].endswith(b"\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
    assert answer.endswith(b"transfer-encoding: chunked\r\nconnection: close\r\n\r\n3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n")


def test_an_old_client_gets_no_chunks(router: Routed) -> None:
    router.serve_from(router.replica(answering(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")))

    answer = router.ask(b"GET / HTTP/1.0\r\n" + HEAD + b"\r\n")

    assert answer.endswith(b"\r\nconnection: close\r\n\r\nabc")


def test_a_body_that_ends_with_the_connection_passes(router: Routed) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        writer.write(b"HTTP/1.1 200 OK\r\n\r\nall of it")
        await writer.drain()

    router.serve_from(router.replica(talk))

    assert router.ask(b"GET / HTTP/1.1\r\n" + HEAD + b"\r\n").endswith(b"connection: close\r\n\r\nall of it")


def test_what_has_no_body_keeps_the_connection(router: Routed) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await read_head(reader):
            writer.write(
                b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n" if head.startswith(b"HEAD") else b"HTTP/1.1 304 Not Modified\r\n\r\n"
            )

    router.serve_from(router.replica(talk))

    answer = router.ask(b"HEAD / HTTP/1.1\r\n" + HEAD + b"\r\nGET / HTTP/1.1\r\n" + LAST + b"\r\n")

    assert answer == b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\nHTTP/1.1 304 Not Modified\r\nconnection: close\r\n\r\n"


def test_a_client_that_asks_first_is_told_to_go_on(router: Routed) -> None:
    seen: list[bytes] = []
    router.serve_from(router.replica(recording(seen, end=b"END")))
    with router.connect() as connection:
        connection.sendall(b"POST / HTTP/1.1\r\n" + LAST + b"Content-Length: 3\r\nExpect: 100-continue\r\n\r\n")
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"END")
        assert read_all(connection).endswith(b"ok")

    assert b"xpect" not in seen[0]


def test_early_words_of_a_replica_are_not_taken_for_its_answer(router: Routed) -> None:
    router.serve_from(router.replica(answering(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + OK)))

    assert router.ask(b"GET / HTTP/1.1\r\n" + LAST + b"\r\n").startswith(b"HTTP/1.1 200 OK\r\n")


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"POST / HTTP/1.1\r\n" + HEAD + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /x HTTP/1.1\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\n" + HEAD + b"Content-Length: 4\r\nContent-Length: 4\r\n\r\nabcd", 400),
        (b"POST / HTTP/1.1\r\n" + HEAD + b"Transfer-Encoding: xchunked\r\n\r\n", 501),
        (b"POST / HTTP/1.1\r\n" + HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        (b"GET / HTTP/1.1\r\n" + HEAD + b"X: a\r\n b\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n" + HEAD + b"X : a\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n" + HEAD + HEAD + b"\r\n", 400),
        (b"GET / HTTP/1.1\r\n" + HEAD + b"X: " + b"a" * 40_000 + b"\r\n\r\n", 431),
        (b"POST / HTTP/1.1\r\n" + HEAD + b"Content-Length: 16777217\r\n\r\n", 413),
        (b"CONNECT a:1 HTTP/1.1\r\n" + HEAD + b"\r\n", 400),
        (b"TRACE / HTTP/1.1\r\n" + HEAD + b"\r\n", 405),
        (b"GET /a/../internal HTTP/1.1\r\n" + HEAD + b"\r\n", 400),
        (b"GET /%2e%2e/internal HTTP/1.1\r\n" + HEAD + b"\r\n", 400),
        (b"\x16\x03\x01\x02\x00\r\n\r\n", 400),
    ],
)
def test_what_is_ambiguous_or_too_large_is_refused_and_the_connection_closed(router: Routed, request_bytes: bytes, status: int) -> None:
    seen: list[bytes] = []
    router.serve_from(router.replica(recording(seen)))

    answer = router.ask(request_bytes)

    assert answer.startswith(b"HTTP/1.1 %d " % status)
    assert b"connection: close\r\n" in answer
    assert answer.count(b"HTTP/1.1") == 1
    assert not any(b"/x" in part or part.endswith(b"0\r\n\r\n") for part in seen)


@pytest.mark.parametrize("path", [b"/internal/holds", b"//internal", b"/Internal", b"/%69nternal", b"/metrics", b"/metrics?x=1"])
def test_what_is_inside_is_not_found_outside(router: Routed, path: bytes) -> None:
    seen: list[bytes] = []
    router.serve_from(router.replica(answering(OK, seen)))

    answer = router.ask(b"GET " + path + b" HTTP/1.1\r\n" + LAST + b"\r\n")

    assert answer.startswith(b"HTTP/1.1 404 ")
    assert seen == []


def test_a_chunked_body_that_grows_too_large_is_refused(router: Routed) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(65536):
            pass

    router.serve_from(router.replica(talk))
    part = b"100000\r\n" + b"a" * (1 << 20) + b"\r\n"
    with router.connect() as connection:
        connection.sendall(b"POST / HTTP/1.1\r\n" + HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
        for _ in range(17):
            connection.sendall(part)
        assert read_all(connection).startswith(b"HTTP/1.1 413 ")


def test_an_unknown_host_is_not_found(router: Routed) -> None:
    answer = router.ask(b"GET / HTTP/1.1\r\nHost: b.localhost\r\nAccept: text/html\r\nConnection: close\r\n\r\n")

    assert answer.startswith(b"HTTP/1.1 404 ")
    assert "예매 시스템이 없습니다".encode() in answer


def test_a_replica_that_refuses_is_passed_over_even_for_what_cannot_be_repeated(router: Routed) -> None:
    router.serve_from(free_port(), router.replica(recording([])))

    for _ in range(4):
        answer = router.ask(b"POST / HTTP/1.1\r\n" + LAST + b"Content-Length: 3\r\n\r\nEND")
        assert answer.startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    ("start", "extra", "status"),
    [(b"GET", b"", 200), (b"PUT", b"", 200), (b"POST", b"Idempotency-Key: 1\r\n", 200), (b"POST", b"", 502)],
)
def test_a_request_whose_replica_died_is_sent_again_only_if_it_may_be(router: Routed, start: bytes, extra: bytes, status: int) -> None:
    async def dying(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"END")
        writer.transport.abort()

    deadly, well = router.replica(dying), router.replica(recording([]))
    router.serve_from(deadly)
    request = start + b" / HTTP/1.1\r\n" + LAST + extra + b"Content-Length: 3\r\n\r\nEND"
    alone = router.ask(request)
    assert alone.startswith(b"HTTP/1.1 502 " if status == 502 else b"HTTP/1.1 503 ")

    router.serve_from(deadly, well)
    answers = {router.ask(request)[9:12] for _ in range(4)}

    assert answers == ({b"200"} if status == 200 else {b"200", b"502"})


def test_a_kept_connection_that_the_replica_closed_is_not_held_against_it(router: Routed) -> None:
    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        writer.write(OK)
        await writer.drain()
        await read_head(reader)  # the second request is never answered

    router.serve_from(router.replica(once))

    for _ in range(4):
        assert router.ask(b"GET / HTTP/1.1\r\n" + LAST + b"\r\n").startswith(b"HTTP/1.1 200 ")


def test_an_answer_that_is_cut_short_is_seen_to_be(router: Routed) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nhalf")
        await writer.drain()
        await asyncio.sleep(0.05)
        writer.transport.abort()

    router.serve_from(router.replica(talk))

    answer = router.ask(b"GET / HTTP/1.1\r\n" + HEAD + b"\r\n")

    assert answer.endswith(b"half")
    assert answer.count(b"HTTP/1.1") == 1


def test_a_short_answer_that_is_cut_short_is_had_from_another_replica(router: Routed) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        await writer.drain()
        await asyncio.sleep(0.02)
        writer.transport.abort()

    router.serve_from(router.replica(talk), router.replica(answering(OK)))

    for _ in range(4):
        answer = router.ask(b"GET / HTTP/1.1\r\n" + LAST + b"\r\n")
        assert answer.endswith(b"\r\n\r\nok")
        assert b"half" not in answer


@pytest.mark.parametrize(
    "response",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * 70_000,
    ],
)
def test_an_answer_that_cannot_be_made_out_is_a_bad_gateway(router: Routed, response: bytes) -> None:
    router.serve_from(router.replica(answering(response)))

    assert router.ask(b"POST / HTTP/1.1\r\n" + LAST + b"\r\n").startswith(b"HTTP/1.1 502 ")


def test_an_answer_given_before_the_body_was_read_passes_and_closes(router: Routed) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        writer.write(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno")
        await writer.drain()
        await reader.read()

    router.serve_from(router.replica(talk))
    with router.connect() as connection:
        connection.sendall(b"POST / HTTP/1.1\r\n" + HEAD + b"Content-Length: 1000000\r\n\r\nstart")
        answer = read_all(connection)

    assert answer.startswith(b"HTTP/1.1 401 ")
    assert b"connection: close" in answer
    assert answer.endswith(b"no")


def test_a_slow_reader_holds_the_replica_back_and_gets_all(router: Routed) -> None:
    size, sent = 30_000_000, 0

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await read_head(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
        while sent < size:
            writer.write(b"x" * 100_000)
            await writer.drain()
            sent += 100_000

    router.serve_from(router.replica(talk))
    with router.connect() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\n" + LAST + b"\r\n")
        connection.recv(10)
        before = -1

        def has_stalled() -> bool:
            nonlocal before
            stalled, before = sent == before, sent
            return stalled

        eventually(has_stalled)
        assert sent < size
        content = read_all(connection)

    assert content.endswith(b"x" * 1000)
    assert content.count(b"x") == size


def test_a_client_that_goes_away_frees_the_replica(router: Routed) -> None:
    left = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        left.append(await reader.read())

    port = router.replica(talk)
    router.serve_from(port)
    with router.connect() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\n" + HEAD + b"\r\n")
        eventually(lambda: router.router._upstreams.in_flight([port]), until=lambda count: count == 1)

    eventually(lambda: left, until=lambda seen: seen == [b""])
    assert router.router._upstreams.in_flight([port]) == 0


@pytest.mark.parametrize(
    ("absence", "code"), [(Absence.STARTING, b"starting"), (Absence.DOWN, b"unavailable"), (Absence.STOPPED, b"stopped")]
)
def test_a_service_without_replicas_says_why(router: Routed, absence: Absence, code: bytes) -> None:
    router.serve_from(absence=absence)

    answer = router.ask(b"GET / HTTP/1.1\r\n" + LAST + b"\r\n")

    assert answer.startswith(b"HTTP/1.1 503 ")
    assert b'"code": "%b"' % code in answer
    assert b"retry-after: " in answer
    assert router.visited == (["clove-1"] if absence is Absence.STARTING else [])


def test_more_requests_than_a_replica_takes_wait_and_are_all_answered(router: Routed) -> None:
    at_once = most = 0

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal at_once, most
        while await read_head(reader):
            at_once += 1
            most = max(most, at_once)
            await asyncio.sleep(0.02)
            at_once -= 1
            writer.write(OK)

    router.serve_from(router.replica(talk))
    connections = [router.connect() for _ in range(600)]
    for connection in connections:
        connection.sendall(b"GET / HTTP/1.1\r\n" + LAST + b"\r\n")
    answers = [read_all(connection) for connection in connections]
    for connection in connections:
        connection.close()

    assert all(answer.startswith(b"HTTP/1.1 200 ") for answer in answers)
    assert most <= 256


def test_who_waits_goes_on_when_the_replicas_change(router: Routed) -> None:
    async def hanging(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    router.serve_from(router.replica(hanging))
    full = [router.connect() for _ in range(256)]
    for connection in full:
        connection.sendall(b"GET / HTTP/1.1\r\n" + HEAD + b"\r\n")
    with router.connect() as waiting:
        waiting.sendall(b"GET / HTTP/1.1\r\n" + LAST + b"\r\n")
        eventually(lambda: len(router.backend.waiting), until=lambda count: count == 1)
        router.serve_from(router.replica(answering(OK)))
        assert read_all(waiting).startswith(b"HTTP/1.1 200 ")
    for connection in full:
        connection.close()


def test_what_takes_too_long_is_ended_with_a_word(router: Routed) -> None:
    async def hanging(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    router.serve_from(router.replica(hanging))
    silent, half, waiting = router.connect(), router.connect(), router.connect()
    half.sendall(b"GET / HT")
    waiting.sendall(b"GET / HTTP/1.1\r\n" + HEAD + b"\r\n")
    eventually(lambda: len(router.router.clients), until=lambda count: count == 3)
    eventually(router.router._upstreams.all, until=lambda upstreams: any(each.in_flight for each in upstreams))

    def hours_later() -> None:
        for client in router.router.clients:
            client.deadline = 0.0

    router.call(hours_later)

    assert read_all(silent) == b""
    assert read_all(half).startswith(b"HTTP/1.1 408 ")
    assert read_all(waiting).startswith(b"HTTP/1.1 504 ")
    for connection in (silent, half, waiting):
        connection.close()


def test_a_replica_that_leaves_is_drained_of_what_is_under_way(router: Routed) -> None:
    may_answer = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        await may_answer.wait()
        writer.write(OK)
        await writer.drain()

    port = router.replica(talk)
    router.serve_from(port)
    with router.connect() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\n" + LAST + b"\r\n")
        eventually(lambda: router.router._upstreams.in_flight([port]))
        router.serve_from(router.replica(answering(OK)))
        drained = asyncio.run_coroutine_threadsafe(router.router.drained(frozenset([port])), router.loop)
        assert not drained.done()
        router.call(may_answer.set)
        assert read_all(connection).startswith(b"HTTP/1.1 200 ")
        drained.result(10)
