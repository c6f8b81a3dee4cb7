import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.runtime.local.router.heads import BadHead, header, read_request, read_response


def _head(*lines: bytes, start: bytes = b"GET /a?b=c HTTP/1.1") -> bytes:
    return b"\r\n".join([start, *lines]) + b"\r\n"


def test_a_plain_request_is_read() -> None:
    request = read_request(_head(b"Host: a.localhost:8080", b"Accept: */*", b"X-Request-Id: abcdefgh"))

    assert (request.method, request.target, request.host) == (b"GET", b"/a?b=c", b"a.localhost:8080")
    assert (request.length, request.is_chunked, request.keeps_alive, request.can_repeat) == (0, False, True, True)
    assert request.lines == [b"Accept: */*"]
    assert request.request_id == b"abcdefgh"


@pytest.mark.parametrize(
    "lines",
    [
        (b"Content-Length: 5", b"Content-Length: 5"),
        (b"Content-Length: 5", b"Transfer-Encoding: chunked"),
        (b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked"),
        (b"Transfer-Encoding: gzip, chunked",),
        (b"Transfer-Encoding: identity",),
        (b"Transfer-Encoding: \x0bchunked",),
        (b"Content-Length: +5",),
        (b"Content-Length: 5, 5",),
        (b"Content-Length: 0x5",),
        (b"Content-Length: -1",),
        (b"Content-Length:",),
        (b"Content-Length: 99999999999999999999",),
        (b"Content-Length : 5",),
        (b" Content-Length: 5",),
        (b"X: a", b" folded"),
        (b"X: a\rContent-Length: 5",),
        (b"X: a\nContent-Length: 5",),
        (b"X: a\x00",),
        (b"No colon",),
        (b": empty",),
        (b"X\x80: a",),
        (b"Host: b",),
        (b"Expect: something",),
    ],
)
def test_what_could_be_read_in_two_ways_is_refused(lines: tuple[bytes, ...]) -> None:
    with pytest.raises(BadHead):
        read_request(_head(b"Host: a", *lines, start=b"POST / HTTP/1.1"))


@pytest.mark.parametrize(
    "start",
    [
        b"GET  / HTTP/1.1",
        b"GET / HTTP/1.1 ",
        b" GET / HTTP/1.1",
        b"GET /\t HTTP/1.1",
        b"GET /\xff HTTP/1.1",
        b"GET / HTTP/2.0",
        b"GET / HTTP/1.10",
        b"GET / http/1.1",
        b"G(T / HTTP/1.1",
        b"GET a HTTP/1.1",
        b"GET HTTP/1.1",
        b"GET ftp://a/ HTTP/1.1",
        b"\x16\x03\x01",
    ],
)
def test_a_malformed_request_line_is_refused(start: bytes) -> None:
    with pytest.raises(BadHead):
        read_request(_head(b"Host: a", start=start))


@pytest.mark.parametrize("host", [b"", b"a b", b"a/b", b"a:b", b"a@b", b"a:8080:1", b"[::1", b"\xe3\x85\x81"])
def test_a_host_that_is_none_is_refused(host: bytes) -> None:
    with pytest.raises(BadHead):
        read_request(_head(b"Host: " + host))


def test_a_request_without_a_host_is_refused() -> None:
    with pytest.raises(BadHead):
        read_request(_head())


def test_an_absolute_target_names_the_host() -> None:
    request = read_request(_head(b"Host: evil", start=b"GET http://good:1/x?y HTTP/1.1"))

    assert (request.host, request.target) == (b"good:1", b"/x?y")
    assert read_request(_head(b"Host: evil", start=b"GET http://good?q HTTP/1.1")).target == b"/?q"


def test_headers_for_this_hop_and_forged_ones_are_dropped() -> None:
    request = read_request(
        _head(
            b"Host: a",
            b"Connection: close, X-Mine",
            b"X-Mine: 1",
            b"Keep-Alive: 1",
            b"TE: trailers",
            b"Upgrade: websocket",
            b"Proxy-Authorization: x",
            b"X-Forwarded-For: 10.0.0.1",
            b"x-forwarded-anything: 1",
            b"X_Forwarded_For: 10.0.0.1",
            b"X-Forwarded_For: 10.0.0.1",
            b"Forwarded: for=10.0.0.1",
            b"X-Real-IP: 10.0.0.1",
            b"Cookie: a=b",
        )
    )

    assert request.lines == [b"Cookie: a=b"]
    assert not request.keeps_alive


def test_a_strange_request_id_is_replaced() -> None:
    assert read_request(_head(b"Host: a", b"X-Request-Id: a b")).request_id == b""


def test_only_what_can_be_repeated_without_harm_may_be() -> None:
    assert not read_request(_head(b"Host: a", start=b"POST / HTTP/1.1")).can_repeat
    assert read_request(_head(b"Host: a", b"Idempotency-Key: 1", start=b"POST / HTTP/1.1")).can_repeat
    assert read_request(_head(b"Host: a", start=b"DELETE / HTTP/1.1")).can_repeat


def test_an_old_client_does_not_keep_the_connection_and_does_not_chunk() -> None:
    assert not read_request(_head(b"Host: a", b"Connection: keep-alive", start=b"GET / HTTP/1.0")).keeps_alive
    with pytest.raises(BadHead):
        read_request(_head(b"Host: a", b"Transfer-Encoding: chunked", start=b"POST / HTTP/1.0"))


def test_too_many_headers_are_refused() -> None:
    with pytest.raises(BadHead) as refusal:
        read_request(_head(b"Host: a", *(b"X-%d: 1" % number for number in range(101))))

    assert refusal.value.status == 431


def test_a_response_is_read() -> None:
    response = read_response(_head(b"Content-Length: 5", b"Connection: close", b"X: 1", start=b"HTTP/1.1 404 Not Found"))

    assert (response.status, response.length, response.is_chunked, response.keeps_alive) == (404, 5, False, False)
    assert response.lines == [b"X: 1"]


@pytest.mark.parametrize(
    "lines", [(b"Content-Length: 5", b"Content-Length: 6"), (b"Content-Length: 5", b"Transfer-Encoding: chunked"), (b"Content-Length: x",)]
)
def test_an_ambiguous_response_is_refused(lines: tuple[bytes, ...]) -> None:
    with pytest.raises(BadHead):
        read_response(_head(*lines, start=b"HTTP/1.1 200 OK"))


def test_a_header_is_found_whatever_its_case() -> None:
    head = _head(b"ACCEPT:  text/html ", b"X-Accept: no")

    assert (header(head, b"accept"), header(head, b"cookie")) == (b"text/html", b"")


@given(st.binary(max_size=200))
def test_no_bytes_do_anything_but_read_or_be_refused(junk: bytes) -> None:
    for read in (read_request, read_response):
        with contextlib.suppress(BadHead):
            read(junk + b"\r\n")
