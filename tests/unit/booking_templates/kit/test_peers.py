"""Calls between services: what is known after a failure, what is tried again, and when no call is made at all."""

from __future__ import annotations

import socket
import time

import pytest

from booking_templates.kit import peers
from booking_templates.kit.connections import BrokenOff
from booking_templates.kit.logs import request_id


@pytest.fixture
def nobody():
    """An address where nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch):
    monkeypatch.setattr(peers.time, "sleep", lambda _seconds: None)


def hang(handler):
    """Take the request and say nothing until the caller has gone."""
    handler.connection.settimeout(5)
    handler.connection.recv(1)
    handler.close_connection = True


def drop(handler):
    """Take the request and close the connection."""
    handler.close_connection = True
    handler.connection.shutdown(socket.SHUT_RDWR)


def half(handler):
    """Announce more than is sent."""
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b"{")
    handler.close_connection = True


def test_a_call_carries_token_request_id_and_language(peer, hosts, keys):
    hosts({"seat:8000": [peer.address]})
    token = request_id.set("req-1")
    answer = peers.call("seat", "POST", "/internal/x?buyer=1", json={"a": 1}, idempotency_key="k", headers={"X-Extra": "1"})
    request_id.reset(token)
    assert (answer.status, answer.json()["status"], answer.code) == (200, 200, "code_200")
    (request,) = peer.requests
    assert request["path"] == "/internal/x?buyer=1"
    assert request["body"] == b'{"a":1}'
    headers = request["headers"]
    assert (headers["X-Request-Id"], headers["Idempotency-Key"], headers["X-Extra"]) == ("req-1", "k", "1")
    from booking_templates.kit import tokens

    claims = tokens.verifier().verify(headers["Authorization"].removeprefix("Bearer "), audience="clove-test/seat")
    assert (claims.role, claims.subject) == ("service", "event")


def test_a_refusal_is_an_answer_and_is_not_tried_again(peer, hosts):
    hosts({"seat:8000": [peer.address]})
    peer.answers = [409]
    assert peers.call("seat", "POST", "/x", idempotency_key="k").code == "code_409"
    assert len(peer.requests) == 1


def test_a_peer_that_this_system_lacks_is_unavailable():
    with pytest.raises(peers.PeerUnavailable, match="this system has no nobody"):
        peers.call("nobody", "GET", "/x")


def test_a_name_without_an_address_is_unavailable(hosts):
    hosts({})
    with pytest.raises(peers.PeerUnavailable):
        peers.call("seat", "GET", "/x")


def test_where_nothing_listens_nothing_was_done(nobody, hosts):
    hosts({"seat:8000": [nobody]})
    with pytest.raises(peers.PeerUnavailable):
        peers.call("seat", "POST", "/x")


@pytest.mark.parametrize("fault", [hang, drop, half, 500, 503])
def test_an_answer_that_never_comes_whole_is_unknown_and_a_plain_post_is_not_sent_twice(peer, hosts, fault):
    hosts({"seat:8000": [peer.address]})
    peer.answers = [fault]
    with pytest.raises(peers.PeerTimeout):
        peers.call("seat", "POST", "/x", timeout_s=0.2)
    assert len(peer.requests) == 1


@pytest.mark.parametrize("fault", [drop, half, 500])
@pytest.mark.parametrize(("method", "key", "retry"), [("GET", "", None), ("PUT", "", None), ("POST", "k", None), ("POST", "", True)])
def test_what_may_be_repeated_is_tried_again(peer, hosts, fault, method, key, retry):
    hosts({"seat:8000": [peer.address]})
    peer.answers = [fault, fault, 200]
    assert peers.call("seat", method, "/x", idempotency_key=key, retry=retry).status == 200
    assert len(peer.requests) == 3


def test_a_peer_that_hangs_is_asked_again(peer, hosts):
    hosts({"seat:8000": [peer.address]})
    peer.answers = [hang, 200]
    assert peers.call("seat", "GET", "/x", timeout_s=2).status == 200
    assert len(peer.requests) == 2


def test_it_gives_up_after_three_tries(peer, hosts):
    hosts({"seat:8000": [peer.address]})
    peer.answers = [500]
    with pytest.raises(peers.PeerTimeout):
        peers.call("seat", "GET", "/x")
    assert len(peer.requests) == peers.TRIES


def test_a_caller_may_forbid_a_second_try(peer, hosts):
    hosts({"seat:8000": [peer.address]})
    peer.answers = [500, 200]
    with pytest.raises(peers.PeerTimeout):
        peers.call("seat", "GET", "/x", retry=False)
    assert len(peer.requests) == 1


def test_a_dead_replica_is_passed_over_for_a_live_one(peer, hosts, nobody):
    hosts({"seat:8000": [nobody, peer.address]})
    for _ in range(10):
        assert peers.call("seat", "POST", "/x").status == 200


def test_a_peer_that_moves_is_found_again(peer, hosts, nobody):
    hosts({"seat:8000": [nobody]})
    with pytest.raises(peers.PeerUnavailable):
        peers.call("seat", "GET", "/x")
    hosts({"seat:8000": [peer.address]})
    assert peers.call("seat", "GET", "/x").status == 200


def test_a_table_that_is_unreadable_for_a_moment_leaves_the_last_one(peer, hosts, tmp_path):
    file = tmp_path / "hosts.json"
    file.write_text(f'{{"seat:8000": ["{peer.address}"]}}')
    table = peers.Hosts(str(file))
    assert table.resolve("http://seat:8000/x?y=1") == f"http://{peer.address}/x?y=1"
    file.write_text("{")
    assert table.resolve("http://seat:8000/x").startswith("http://127.0.0.1")
    file.unlink()
    assert table.resolve("http://seat:8000/x").startswith("http://127.0.0.1")


def test_without_a_table_names_are_left_to_dns():
    assert peers.Hosts("").resolve("http://seat:8000/x") == "http://seat:8000/x"


def test_connections_are_kept(peer, hosts):
    hosts({"seat:8000": [peer.address]})
    for _ in range(5):
        peers.call("seat", "GET", "/x")
    assert peers.pool().opened == 1


def test_a_redirect_is_not_followed(peer, hosts):
    hosts({"seat:8000": [peer.address]})

    def away(handler):
        handler.send_response(302)
        handler.send_header("Location", "http://169.254.169.254/")
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    peer.answers = [away]
    assert peers.call("seat", "GET", "/x").status == 302
    assert len(peer.requests) == 1


class Clock:
    def __init__(self):
        self.now = time.monotonic()  # what else reads it keeps its time

    def __call__(self):
        return self.now


def test_after_failures_in_a_row_calls_fail_at_once_until_one_gets_through(peer, hosts, monkeypatch):
    clock = Clock()
    monkeypatch.setattr(peers.time, "monotonic", clock)
    hosts({"seat:8000": [peer.address]})
    peer.answers = [500]
    for _ in range(2):
        with pytest.raises(peers.PeerTimeout):
            peers.call("seat", "GET", "/x")
    assert len(peer.requests) == peers.BREAK_AFTER
    with pytest.raises(peers.PeerUnavailable, match="circuit open"):
        peers.call("seat", "GET", "/x")
    assert len(peer.requests) == peers.BREAK_AFTER
    clock.now += peers.BREAK_S
    peer.answers = [200]
    assert peers.call("seat", "GET", "/x").status == 200
    assert peers.call("seat", "GET", "/x").status == 200


def test_one_call_alone_tries_a_peer_whose_circuit_is_open(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(peers.time, "monotonic", clock)
    circuit = peers.Circuit()
    for _ in range(peers.BREAK_AFTER):
        circuit.failed()
    assert not circuit.admits()
    clock.now += peers.BREAK_MAX_S
    assert circuit.admits()
    assert not circuit.admits()
    circuit.succeeded()
    assert circuit.admits()


def test_a_peer_that_hangs_has_one_call_of_an_open_circuit_and_no_more(peer, hosts, monkeypatch):
    hosts({"seat:8000": [peer.address]})
    clock = Clock()
    monkeypatch.setattr(peers.time, "monotonic", clock)
    circuit = peers.circuit("seat")
    for _ in range(peers.BREAK_AFTER):
        circuit.failed()
    clock.now += peers.BREAK_MAX_S
    others = []

    def hang(*_args, **_options):
        """Meanwhile others want to call, until just before this call runs out of time."""
        clock.now += peers.CONNECT_TIMEOUT_S + 3 - 0.1
        others.append(circuit.admits(takes_s=3))
        raise BrokenOff("it never answered")

    monkeypatch.setattr(peers.Connections, "request", hang)
    with pytest.raises(peers.PeerTimeout):
        peers.call("seat", "GET", "/x", timeout_s=3)
    assert others == [False]


def test_an_outage_of_days_keeps_trying_every_few_seconds(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(peers.time, "monotonic", clock)
    circuit = peers.Circuit()
    for _ in range(5000):
        circuit.failed()
    assert circuit.open_until - clock.now <= peers.BREAK_MAX_S


def test_one_peers_trouble_is_not_anothers(peer, hosts):
    hosts({"seat:8000": [], "ticket:8000": [peer.address]})
    for _ in range(4):
        with pytest.raises(peers.PeerUnavailable):
            peers.call("seat", "GET", "/x")
    assert peers.call("ticket", "GET", "/x").status == 200


def test_an_error_that_is_no_problem_json_has_no_code():
    assert peers.PeerResponse(502, b"<html>").code == ""
    assert peers.PeerResponse(400, b"[]").code == ""
