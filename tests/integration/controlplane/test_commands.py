"""The commands of a terminal: render without a server, deploy as the form does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import CommandError, call_command
from django.db import connection

from controlplane.systems.converge import converge
from controlplane.systems.models import BookingSystem, State
from tests.controlplane import SiteRuntime, areas_requirement
from tests.integration.controlplane.looks import settle

ROOT = Path(__file__).resolve().parents[3]


def manage(*arguments: str, home: Path) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "CLOVE_HOME": str(home)}
    return subprocess.run([sys.executable, "manage.py", *arguments], cwd=ROOT, env=env, capture_output=True, text=True, check=False)


def test_render_prints_manifests_without_a_database_and_leaves_nothing_behind(tmp_path: Path) -> None:
    home = tmp_path / "home"

    done = manage("render", "examples/festival.json", home=home)

    assert done.returncode == 0, done.stderr
    objects = list(yaml.safe_load_all(done.stdout))
    assert {"Namespace", "ServiceAccount", "ConfigMap", "Deployment", "Service", "HTTPRoute"} <= {item["kind"] for item in objects}
    assert not home.exists()


def test_render_names_everything_that_is_wrong_and_prints_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "bad.json"
    path.write_text(json.dumps(areas_requirement(title="", payment="cash")))

    done = manage("render", str(path), home=tmp_path / "home")

    assert done.returncode == 1
    assert done.stdout == ""
    assert "title: This is needed." in done.stderr
    assert "payment: This must be one of: kakaopay, none." in done.stderr


@pytest.mark.parametrize("name", ["missing.json", "."])
def test_a_file_that_is_not_there_is_told_in_a_line(tmp_path: Path, name: str) -> None:
    done = manage("render", str(tmp_path / name), home=tmp_path / "home")

    assert done.returncode == 1
    assert "Traceback" not in done.stderr


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "event.json"
    path.write_text(json.dumps(areas_requirement()))
    return path


@pytest.mark.django_db(transaction=True)
def test_deploy_shows_the_steps_until_it_is_live(seller: Any, runtime: SiteRuntime, path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stop = threading.Event()

    def work() -> None:
        """The worker's part."""
        while not stop.wait(0.02):
            for system in BookingSystem.objects.all():
                converge(system.pk, runtime=runtime)
        connection.close()

    worker = threading.Thread(target=work)
    worker.start()
    try:
        call_command("deploy", str(path), seller="Seller@Example.kr", wait=True, timeout=60)
    finally:
        stop.set()
        worker.join()

    shown = capsys.readouterr().out
    assert "27 objects." in shown
    assert "Keys verify" in shown
    assert shown.rstrip().endswith("live: http://river.localhost:8080")
    assert BookingSystem.objects.get().state == State.LIVE


@pytest.mark.django_db(transaction=True)
def test_deploy_refuses_what_the_form_refuses_in_its_words(seller: Any, tmp_path: Path) -> None:
    path = tmp_path / "bad.json"
    path.write_text(json.dumps(areas_requirement(grades=[{"name": "VIP", "price_krw": 1}])))

    with pytest.raises(CommandError, match="grades: Grade GA has seats and no price"):
        call_command("deploy", str(path), seller=seller.email)
    with pytest.raises(CommandError, match="no account nobody"):
        call_command("deploy", str(path), seller="nobody@example.kr")
    assert not BookingSystem.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_deploy_without_waiting_only_asks(seller: Any, path: Path, sent: list[Any], capsys: pytest.CaptureFixture[str]) -> None:
    call_command("deploy", str(path), seller=seller.email)

    assert "http://river.localhost:8080" in capsys.readouterr().out
    assert [task for task, _, _ in sent] == ["jobs.converge"]


@pytest.mark.django_db(transaction=True)
def test_deploy_goes_on_with_what_a_run_that_was_cut_off_had_begun(
    seller: Any, runtime: SiteRuntime, path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("deploy", str(path), seller=seller.email, resume=True)
    (system,) = BookingSystem.objects.all()
    settle(system, runtime)
    capsys.readouterr()

    call_command("deploy", str(path), seller=seller.email, resume=True, wait=True)

    assert f"live: {system.public_url}" in capsys.readouterr().out
    assert BookingSystem.objects.count() == 1
