"""The mail server that the platform is told of reaches a booking system, and by it its buyers."""

from __future__ import annotations

from pathlib import Path

from tests.smtp_server import MailServer
from tests.stack import running, until


def test_a_buyer_of_the_example_gets_mail(tmp_path: Path) -> None:
    with MailServer() as mail, running(tmp_path / "home", env={"CLOVE_MAIL": mail.url}) as clove:
        site = clove.site("star-station")
        site.sign_up("hana@example.com")
        order = site.buy(site.hold_any())
        assert order["status"] == "ISSUED"
        (confirmed,) = until("the mail", lambda: mail.to("hana@example.com"))
        assert confirmed["From"] == "tickets@example.com"
        assert order["number"] in confirmed["Subject"]
        body = confirmed.get_body(("plain",))
        assert body is not None
        text = str(body.get_content())
        assert order["places"][0]["grade"] in text
        assert f"http://star-station.localhost:{clove.router_port}/orders/{order['id']}" in text
