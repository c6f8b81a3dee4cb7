"""Servers outside that the platform is told of: with REDIS_URL jobs go through a real Redis, with CLOVE_MAIL buyers get mail."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import redis

from tests.needs import need
from tests.ports import free_ports
from tests.smtp_server import MailServer
from tests.stack import Site, Stack, running, until


@dataclass
class Outside:
    """A stack, its example opened, and what it was told of."""

    stack: Stack
    broker: redis.Redis
    mail: MailServer

    @property
    def example(self) -> Site:
        return self.stack.site("star-station")


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outside]:
    program, directory = need("redis"), tmp_path_factory.mktemp("outside")
    (port,) = free_ports(1)
    options = ["--port", str(port), "--bind", "127.0.0.1", "--dir", str(directory), "--save", "", "--maxmemory-policy", "noeviction"]
    server = subprocess.Popen([program, *options], stdout=subprocess.DEVNULL)
    try:
        broker = redis.Redis(port=port)
        until("redis", lambda: _answers(broker), timeout_s=20)
        with MailServer() as mail:
            environ = {"REDIS_URL": f"redis://127.0.0.1:{port}/0", "CLOVE_MAIL": mail.url}
            with running(directory / "home", env=environ) as stack:
                yield Outside(stack, broker, mail)
    finally:
        server.terminate()
        server.wait(10)


def test_an_event_opens_with_redis_as_the_broker(outside: Outside) -> None:
    until("the example", outside.example.is_open)
    assert dict(outside.broker.info("stats"))["total_commands_processed"] > 20
    assert not list((outside.stack.home / "broker").glob("**/*.msg"))


def test_a_buyer_of_the_example_gets_mail(outside: Outside) -> None:
    site = outside.example
    site.sign_up("hana@example.com")
    order = site.buy(site.hold_any())
    assert order["status"] == "ISSUED"
    (confirmed,) = until("the mail", lambda: outside.mail.to("hana@example.com"))
    assert confirmed["From"] == "tickets@example.com"
    assert order["number"] in confirmed["Subject"]
    body = confirmed.get_body(("plain",))
    assert body is not None
    text = str(body.get_content())
    assert order["places"][0]["grade"] in text
    assert f"http://star-station.localhost:{outside.stack.router_port}/orders/{order['id']}" in text


def _answers(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.ConnectionError:
        return False
