"""Asks an OpenID Connect provider who it is, before a booking system relies on it (OpenID Connect Discovery 1.0, 4).

A seller writes the address, so it must not lead into the platform's own network: every address of the host has to be a public one, and
the connection goes to the very address that was looked at. CLOVE_OIDC_PRIVATE=yes lifts that, for a provider inside.
"""

from __future__ import annotations

import http.client
import ipaddress
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

import controlplane.systems.messages  # noqa: F401  (declares the words)
from controlplane.lib.reasons import Problem
from controlplane.rendering.sign_in import is_endpoint, is_on_this_machine

PATH = "sign_in.issuer"
DESCRIPTION = "/.well-known/openid-configuration"
CONNECT_S, READ_S, LONGEST_S = 2.0, 3.0, 6.0
BYTES_MAX = 256 * 1024
ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")
NAT64 = ipaddress.ip_network("64:ff9b::/96")


class _Refused(Exception):
    def __init__(self, code: str, **params: Any) -> None:
        super().__init__(code)
        self.problem = Problem(code, params, PATH)


def problem_without_asking(issuer: str) -> Problem | None:
    """What is wrong with ISSUER by the platform's settings alone: names are looked up at the review."""
    host = urlsplit(issuer).hostname or ""
    if not settings.OIDC_PRIVATE and (is_on_this_machine(issuer) or _is_private_literal(host)):
        return Problem("issuer_private", {"host": host}, PATH)
    return None


def _is_private_literal(host: str) -> bool:
    try:
        return not is_public(host)
    except ValueError:  # a name
        return host == "localhost" or host.endswith(".localhost")


def problem_with(issuer: str) -> Problem | None:
    """Why nobody could sign in with ISSUER, or None. Asks it, so it takes as long as the answer, some seconds at most."""
    try:
        description = _description(issuer)
        if description.get("issuer") != issuer:
            raise _Refused("issuer_differs", issuer=str(description.get("issuer", ""))[:200])
        for name in ENDPOINTS:
            address = description.get(name)
            if not isinstance(address, str) or not is_endpoint(address):
                raise _Refused("issuer_endpoint", endpoint=name)
            _address_of(address)
    except _Refused as refused:
        return refused.problem
    return None


def _description(issuer: str) -> dict[str, Any]:
    parts = urlsplit(issuer)
    host, address = parts.hostname or "", _address_of(issuer)
    status, content = _fetch(address, parts.scheme, host, parts.port, parts.path.rstrip("/") + DESCRIPTION)
    try:
        found = json.loads(content) if status == 200 else None
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise _Refused("issuer_none", host=host, status=status)
    return found


def _address_of(url: str) -> str:
    """An address of URL's host; all of them must be public ones."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    try:
        found = socket.getaddrinfo(host, parts.port or 443, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise _Refused("issuer_silent", host=host) from error
    addresses = [str(entry[4][0]) for entry in found]
    if not settings.OIDC_PRIVATE and not all(is_public(address) for address in addresses):
        raise _Refused("issuer_private", host=host)
    return addresses[0]


def is_public(address: str) -> bool:
    """Whether ADDRESS is one of the open internet, also where it only wraps another (NAT64, 6to4, Teredo, IPv4 in IPv6)."""
    found = ipaddress.ip_address(address.partition("%")[0])
    wrapped: list[ipaddress.IPv4Address | None] = []
    if isinstance(found, ipaddress.IPv6Address):
        wrapped = [found.ipv4_mapped, found.sixtofour, *(found.teredo or ())]
        if found in NAT64:
            wrapped.append(ipaddress.IPv4Address(int(found) & 0xFFFFFFFF))
    inner = [each for each in wrapped if each is not None]
    if any(not each.is_global or each.is_multicast for each in inner):
        return False
    is_mapped = isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None
    return is_mapped or (found.is_global and not found.is_multicast)


def _fetch(address: str, scheme: str, host: str, port: int | None, path: str) -> tuple[int, bytes]:
    """Status and body of a GET, from ADDRESS and no other; the certificate must be HOST's. No redirect is followed."""
    headers = {"Host": f"{host}:{port}" if port else host, "Accept": "application/json", "Connection": "close"}
    try:
        with closing(_connected(address, scheme, host, port)) as sock, _no_longer_than(sock, LONGEST_S):
            if isinstance(sock, ssl.SSLSocket):
                sock.do_handshake()
            connection = http.client.HTTPConnection(host)
            connection.sock = sock
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            content = answer.read(BYTES_MAX + 1)
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise _Refused("issuer_silent", host=host) from error
    return answer.status, content if len(content) <= BYTES_MAX else b""


def _connected(address: str, scheme: str, host: str, port: int | None) -> socket.socket:
    """A socket to ADDRESS, for HTTPS one whose handshake is still to come."""
    sock = socket.create_connection((address, port or 443), timeout=CONNECT_S)
    sock.settimeout(READ_S)
    if scheme != "https":
        return sock
    try:
        return ssl.create_default_context().wrap_socket(sock, server_hostname=host, do_handshake_on_connect=False)
    except BaseException:
        sock.close()
        raise


@contextmanager
def _no_longer_than(sock: socket.socket, seconds: float) -> Iterator[None]:
    """Shut SOCK after so long: its own timeout begins anew with every byte, and whoever sends one now and then would hold us for ever."""
    timer = threading.Timer(seconds, _shut, (sock,))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _shut(sock: socket.socket) -> None:
    with suppress(OSError):  # it has ended by itself meanwhile
        # The plain socket's method: an SSLSocket's own takes its state away from the thread that reads.
        socket.socket.shutdown(sock, socket.SHUT_RDWR)
