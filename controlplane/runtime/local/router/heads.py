"""Heads of HTTP/1.1 messages: read strictly, written anew for the next hop (RFC 9112, RFC 9110 7.6.1).

What could be read in two ways is refused: two lengths, a length beside an encoding, folded lines, bare CR or LF, spaces before a colon.
"""

from __future__ import annotations

import re

MAX_HEAD_BYTES = 32 << 10
MAX_HEADERS = 100

_TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]"
_REQUEST_LINE = re.compile(rb"(" + _TOKEN + rb"{1,24}+) ([\x21-\x7e]{1,8192}+) HTTP/1\.([01])\r\n")
_STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9][0-9])(?: [^\x00-\x08\x0a-\x1f\x7f]*+)?\r\n")
_HEADERS = re.compile(rb"(?:" + _TOKEN + rb"++:[^\x00-\x08\x0a-\x1f\x7f]*+\r\n)*+")
_HOST = re.compile(rb"([0-9A-Za-z._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?")
_LENGTH = re.compile(rb"[0-9]{1,15}")
_REQUEST_ID = re.compile(rb"[0-9A-Za-z._-]{8,64}")

_KEEP, _DROP, _HOSTNAME, _CONTENT_LENGTH, _ENCODING, _CONNECTION, _EXPECT, _ID, _IDEMPOTENCY = range(9)
_SPECIAL = {
    b"host": _HOSTNAME,
    b"content-length": _CONTENT_LENGTH,
    b"transfer-encoding": _ENCODING,
    b"connection": _CONNECTION,
    b"expect": _EXPECT,
    b"x-request-id": _ID,
    b"idempotency-key": _IDEMPOTENCY,
}
_HOP_BY_HOP = {
    b"keep-alive",
    b"proxy-connection",
    b"proxy-authenticate",
    b"proxy-authorization",
    b"te",
    b"trailer",
    b"upgrade",
    b"http2-settings",
}
_FORGED = {b"forwarded", b"x-real-ip", b"x-client-ip", b"true-client-ip", b"x-original-url", b"x-rewrite-url"}
_MEMO_SIZE = 2000
_REPEATABLE = {b"GET", b"HEAD", b"OPTIONS", b"PUT", b"DELETE"}


class BadHead(Exception):
    """A head that is not forwarded; `status` is the answer to a client that sent it."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class Request:
    """What the router needs of a request. `lines` are the headers to forward, as they came."""

    __slots__ = (
        "can_repeat",
        "expects_continue",
        "head",
        "host",
        "is_chunked",
        "keeps_alive",
        "length",
        "lines",
        "method",
        "minor",
        "request_id",
        "target",
    )

    head: bytes
    method: bytes
    target: bytes
    minor: bytes
    host: bytes
    length: int
    is_chunked: bool
    keeps_alive: bool
    expects_continue: bool
    request_id: bytes
    can_repeat: bool
    lines: list[bytes]


class Response:
    """What the router needs of a response; `length` is None when the body ends with the connection (or is chunked)."""

    __slots__ = ("is_chunked", "keeps_alive", "length", "lines", "status")

    status: int
    length: int | None
    is_chunked: bool
    keeps_alive: bool
    lines: list[bytes]


def read_request(head: bytes) -> Request:
    """The request whose HEAD this is: all up to, not with, the empty line. Raises BadHead."""
    line = _REQUEST_LINE.match(head)
    if not line:
        raise BadHead(400, "The request line is malformed.")
    if not _HEADERS.fullmatch(head, line.end()):
        raise BadHead(400, "A header is malformed.")
    request = Request()
    request.head = head
    request.method, request.target, request.minor = line.groups()
    request.length, request.is_chunked, request.expects_continue, request.request_id = 0, False, False, b""
    request.can_repeat = request.method in _REPEATABLE
    host = length = encoding = connection = None
    lines = request.lines = []
    text = head[line.end() : -2]
    for each in text.split(b"\r\n") if text else ():
        name, _, value = each.partition(b":")
        meaning = _meanings.get(name)
        if meaning is None:
            meaning = _meaning(name)
        if meaning == _KEEP:
            lines.append(each)
        elif meaning == _HOSTNAME:
            if host is not None:
                raise BadHead(400, "There are two Host headers.")
            host = value.strip()
        elif meaning == _CONTENT_LENGTH:
            if length is not None:
                raise BadHead(400, "There are two lengths.")
            length = value.strip()
            if not _LENGTH.fullmatch(length):
                raise BadHead(400, "The length is not a number.")
            request.length = int(length)
        elif meaning == _ENCODING:
            if encoding is not None or value.strip().lower() != b"chunked":
                raise BadHead(501, "The transfer encoding is not chunked.")
            encoding, request.is_chunked = value, True
        elif meaning == _CONNECTION:
            connection = value if connection is None else connection + b"," + value
        elif meaning == _EXPECT:
            if value.strip().lower() != b"100-continue":
                raise BadHead(417, "The expectation is unknown.")
            request.expects_continue = True
        elif meaning == _ID:
            value = value.strip()
            request.request_id = value if _REQUEST_ID.fullmatch(value) else b""
        elif meaning == _IDEMPOTENCY:
            lines.append(each)
            request.can_repeat = True
    if len(lines) > MAX_HEADERS:
        raise BadHead(431, "There are too many headers.")
    if encoding is not None and (length is not None or request.minor == b"0"):
        raise BadHead(400, "The end of the body is ambiguous.")
    request.keeps_alive = request.minor == b"1"
    if connection is not None:
        request.keeps_alive &= not _apply_connection(connection, lines)
    _settle_target(request, host)
    return request


def read_response(head: bytes) -> Response:
    """The response whose HEAD this is: all up to, not with, the empty line. Raises BadHead."""
    line = _STATUS_LINE.match(head)
    if not line or not _HEADERS.fullmatch(head, line.end()):
        raise BadHead(502, "The service's answer is malformed.")
    response = Response()
    response.status = int(line[2])
    response.length, response.is_chunked, response.keeps_alive = None, False, line[1] == b"1"
    connection = None
    lines = response.lines = []
    text = head[line.end() : -2]
    for each in text.split(b"\r\n") if text else ():
        name, _, value = each.partition(b":")
        meaning = _meanings.get(name)
        if meaning is None:
            meaning = _meaning(name)
        if meaning == _CONTENT_LENGTH:
            value = value.strip()
            if response.length is not None or not _LENGTH.fullmatch(value):
                raise BadHead(502, "The length of the service's answer is not clear.")
            response.length = int(value)
        elif meaning == _ENCODING:
            if response.is_chunked or value.strip().lower() != b"chunked":
                raise BadHead(502, "The service's answer has an unknown encoding.")
            response.is_chunked = True
        elif meaning == _CONNECTION:
            connection = value if connection is None else connection + b"," + value
        elif meaning != _DROP:
            lines.append(each)
    if response.is_chunked and response.length is not None:
        raise BadHead(502, "The end of the service's answer is ambiguous.")
    if connection is not None and _apply_connection(connection, lines):
        response.keeps_alive = False
    return response


def header(head: bytes, name: bytes) -> bytes:
    """The first value of header NAME, given in lower case, in HEAD; empty when it has none."""
    match = re.search(rb"(?i)\r\n" + re.escape(name) + rb":[ \t]*([^\r\n]*)", head)
    return match[1].strip() if match else b""


def headers(head: bytes, name: bytes) -> bytes:
    """All values of header NAME, given in lower case, in HEAD, as the one list that they are (RFC 9110 5.3)."""
    return b",".join(match.strip() for match in re.findall(rb"(?i)\r\n" + re.escape(name) + rb":([^\r\n]*)", head))


def _meaning(name: bytes) -> int:
    """What a header called NAME is to the router; remembered, for names come again and again."""
    lower = name.lower()
    meaning = _SPECIAL.get(lower, _KEEP)
    # A name with an underscore is the same WSGI variable as one with a hyphen: it could stand in for a header that is set here.
    if lower in _HOP_BY_HOP or lower in _FORGED or lower.startswith(b"x-forwarded-") or b"_" in lower:
        meaning = _DROP
    if len(_meanings) < _MEMO_SIZE:
        _meanings[name] = meaning
    return meaning


_meanings: dict[bytes, int] = {}


def _apply_connection(connection: bytes, lines: list[bytes]) -> bool:
    """Drop from LINES the headers that are for this hop only; True when the connection is to be closed."""
    tokens = {token.strip().lower() for token in connection.split(b",")}
    if named := tokens - {b"close", b"keep-alive", b""}:
        lines[:] = [line for line in lines if line.partition(b":")[0].lower() not in named]
    return b"close" in tokens


def _settle_target(request: Request, host: bytes | None) -> None:
    """Bring the target into origin form; an absolute one names the host by itself (RFC 9112 3.2.2)."""
    target = request.target
    if not target.startswith(b"/"):
        scheme, separator, rest = target.partition(b"://")
        if target == b"*" and request.method == b"OPTIONS":
            request.target = b"/"
        elif separator and scheme.lower() in (b"http", b"https"):
            authority, slash, path = rest.partition(b"/")
            authority, question, query = authority.partition(b"?")
            host, request.target = authority, b"/" + path if slash else b"/" + question + query
        else:
            raise BadHead(400, "The target is not a path.")
    if host is None:
        raise BadHead(400, "There is no Host header.")
    match = _HOST.fullmatch(host)
    if not match:
        raise BadHead(400, "The Host header is malformed.")
    request.host = host
