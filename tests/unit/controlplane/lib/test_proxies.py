"""Whose request it is, behind proxies."""

from __future__ import annotations

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.lib import env, proxies
from controlplane.lib.proxies import address_in, client_of, networks

OWN = networks(["127.0.0.0/8", "::1", "10.1.0.0/16"])


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("127.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("127.0.0.1", "6.6.6.6, 203.0.113.9", "203.0.113.9"),
        ("127.0.0.1", "6.6.6.6,203.0.113.9, 10.1.2.3", "203.0.113.9"),
        ("203.0.113.9", "6.6.6.6", "203.0.113.9"),
        ("10.2.0.1", "6.6.6.6", "10.2.0.1"),
        ("::1", "203.0.113.9:51234", "203.0.113.9"),
        ("::ffff:127.0.0.1", "::ffff:203.0.113.9", "203.0.113.9"),
        ("127.0.0.1", "[2001:db8::7]:443", "2001:db8::7"),
        ("127.0.0.1", "[2001:db8::7]", "2001:db8::7"),
        ("127.0.0.1", "2001:db8::7", "2001:db8::7"),
        ("127.0.0.1", "fe80::7%eth0", "fe80::7"),
        ("127.0.0.1", "", "127.0.0.1"),
        ("127.0.0.1", "unknown", "127.0.0.1"),
        ("127.0.0.1", "203.0.113.9, unknown", "127.0.0.1"),
        ("127.0.0.1", "203.0.113.9,", "127.0.0.1"),
        ("127.0.0.1", "10.1.2.3", "10.1.2.3"),
        ("", "6.6.6.6", ""),
    ],
)
def test_what_a_proxy_of_ones_own_wrote_counts_and_no_more(peer: str, forwarded: str, client: str) -> None:
    assert client_of(peer, forwarded, OWN) == client


def test_without_proxies_nothing_that_is_forwarded_counts() -> None:
    assert client_of("127.0.0.1", "6.6.6.6", ()) == "127.0.0.1"


@pytest.mark.parametrize(("hops", "client"), [(0, "10.9.9.9"), (1, "198.51.100.1"), (2, "203.0.113.9"), (3, "6.6.6.6"), (9, "6.6.6.6")])
def test_so_many_hops_count_wherever_they_are(hops: int, client: str) -> None:
    assert client_of("10.9.9.9", "6.6.6.6, 203.0.113.9, 198.51.100.1", (), hops=hops) == client


def test_trusted_ones_behind_counted_ones_count_too() -> None:
    assert client_of("10.9.9.9", "6.6.6.6, 203.0.113.9, 10.1.0.5", OWN, hops=1) == "203.0.113.9"


@given(st.text(max_size=60), st.ip_addresses())
def test_whatever_stands_before_it_a_trusted_proxys_word_stays(before: str, client: object) -> None:
    found = client_of("127.0.0.1", f"{before}, {client}", ())
    assert found == "127.0.0.1"
    seen = str(address_in(str(client)))
    if seen != "192.0.2.1":
        assert client_of("192.0.2.1", f"{before}, {client}", networks(["192.0.2.1"])) == seen


@pytest.mark.parametrize("text", ["", " ", "1.2.3", "1.2.3.4:99999999", "[::1", "::1]:80", "a.b.c.d", "01.2.3.4", "1.2.3.4, 5.6.7.8", "\0"])
def test_what_is_no_address_is_none(text: str) -> None:
    assert address_in(text) is None


def test_networks_come_from_the_environment_and_a_wrong_one_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("X", "127.0.0.1, 10.0.0.0/8 2001:db8::/32")
    assert proxies.is_one_of(ip_address("10.255.0.1"), env.networks("X"))
    assert len(env.networks("X")) == 3
    monkeypatch.setenv("X", "10.0.0.1/8")
    with pytest.raises(env.BadEnvironment, match=r"X must be networks.*10\.0\.0\.1/8"):
        env.networks("X")
    monkeypatch.delenv("X")
    assert env.networks("X") == ()
