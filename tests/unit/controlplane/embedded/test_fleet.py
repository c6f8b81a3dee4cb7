"""What runs beside the control plane of one machine, when booking systems run on a cluster."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from controlplane.embedded import fleet
from controlplane.embedded.layout import Layout

LAYOUT = Layout(home=Path("/nowhere"), port=8000, router_port=8080, standin_port=8090)
ON_A_CLUSTER = {"RUNTIME": "kubernetes", "ROUTING": "service"}


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("KAKAOPAY_URL", "CLOVE_CONNECT_URL"):
        monkeypatch.delenv(name, raising=False)


def answering(monkeypatch: pytest.MonkeyPatch, *, code: int = 0, out: str = "", err: str = "") -> None:
    monkeypatch.setattr(subprocess, "run", lambda command, **_: subprocess.CompletedProcess(command, code, out, err))


def test_payments_are_taken_where_pods_reach_them_and_buyers_come_in_here(monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, out="10.0.0.7\n")
    more, said = fleet.beside_a_cluster(LAYOUT, ON_A_CLUSTER)

    assert (more, said) == ({"CLOVE_CONNECT_URL": "http://127.0.0.1:8080", "KAKAOPAY_URL": "http://10.0.0.7:8090"}, "")
    assert fleet.standin_address(ON_A_CLUSTER | more) == "10.0.0.7"
    assert fleet.standin_address({}) == "127.0.0.1"


def test_on_no_node_it_is_said_that_pods_cannot_pay_here(monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, code=1, err="This machine is no node of the cluster.\n")
    more, said = fleet.beside_a_cluster(LAYOUT, ON_A_CLUSTER)

    assert "KAKAOPAY_URL" not in more
    assert said.startswith("This machine is no node of the cluster. Pods reach no payment stand-in here")


def test_what_was_given_is_used_instead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAKAOPAY_URL", "https://open-api.kakaopay.com")
    monkeypatch.setenv("CLOVE_CONNECT_URL", "http://10.0.0.9")
    answering(monkeypatch, code=1)

    assert fleet.beside_a_cluster(LAYOUT, ON_A_CLUSTER) == ({}, "")
    assert not fleet.uses_standin()


@pytest.mark.parametrize("env", [{}, {"RUNTIME": "local", "ROUTING": "service"}, {"RUNTIME": "kubernetes"}])
def test_there_is_no_front_where_something_else_leads_buyers(env: dict[str, str]) -> None:
    assert not fleet.uses_front(env)


def test_proxies_of_ones_own_are_known_to_what_leads_buyers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOVE_TRUSTED_PROXIES", "127.0.0.1, ::1")
    options = ["--proxy", "127.0.0.1", "--proxy", "::1"]

    assert fleet.front(LAYOUT, {}).command[-4:] == fleet.supervisor(LAYOUT).command[-4:] == options
    monkeypatch.delenv("CLOVE_TRUSTED_PROXIES")
    assert "--proxy" not in [*fleet.front(LAYOUT, {}).command, *fleet.supervisor(LAYOUT).command]


def test_addresses_that_changed_are_seen_and_no_password_is_told() -> None:
    env = {"CLOVE_ROUTER_PORT": "8080", "CLOVE_MAIL": "smtp://u:secret@mail.example"}

    stamps = [fleet.addresses_stamp(each) for each in (env, env | {"CLOVE_ROUTER_PORT": "8081"}, env | {"KAKAOPAY_URL": "http://10.0.0.7"})]
    assert len(set(stamps)) == 3
    assert fleet.addresses_stamp(env | {"LANG": "C"}) == stamps[0]
    assert "secret" not in stamps[0]
