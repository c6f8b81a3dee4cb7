"""With REDIS_URL the jobs go through a real Redis instead of files."""

from __future__ import annotations

import subprocess
from pathlib import Path

import redis

from tests.needs import need
from tests.ports import free_ports
from tests.stack import ROOT, Stack, until


def test_an_event_opens_with_redis_as_the_broker(tmp_path: Path) -> None:
    program = need("redis")
    (port,) = free_ports(1)
    options = ["--port", str(port), "--bind", "127.0.0.1", "--dir", str(tmp_path), "--save", "", "--maxmemory-policy", "noeviction"]
    server = subprocess.Popen([program, *options], stdout=subprocess.DEVNULL)
    stack = Stack(tmp_path / "home", env={"REDIS_URL": f"redis://127.0.0.1:{port}/0"})
    try:
        client = redis.Redis(port=port)
        until("redis", lambda: _answers(client), timeout_s=20)
        stack.up("--empty")
        shown = stack.manage("deploy", str(ROOT / "examples" / "festival.json"), "--seller", "seller@clove.localhost", "--wait")
        assert "live: http://" in shown
        assert client.info("stats")["total_commands_processed"] > 20
        assert not list((stack.home / "broker").glob("**/*.msg"))
    finally:
        stack.down()
        server.terminate()
        server.wait(10)


def _answers(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.ConnectionError:
        return False
