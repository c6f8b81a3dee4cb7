"""The recordings that the doubles are held to are still what a real API server answers."""

from __future__ import annotations

import pytest

from tests.integration.runtime_kubernetes.cluster import Cluster
from tests.integration.runtime_kubernetes.conftest import api_of
from tests.integration.runtime_kubernetes.server import ApiServer
from tests.integration.runtime_kubernetes.stage import StageOnServer
from tests.runtime_contract import port_cases, recording, server_answers


@pytest.mark.parametrize("name", server_answers.CASES)
def test_the_server_answers_as_it_is_recorded(server: ApiServer, cluster: Cluster, name: str) -> None:
    asking = server_answers.Server(cluster.api, api_of(server.nobody), api_of(server.stranger))

    assert recording.steady(server_answers.CASES[name](asking)) == recording.read("answers")[name], recording.AGAIN


@pytest.mark.parametrize("name", port_cases.CASES)
def test_the_port_answers_as_it_is_recorded(cluster: Cluster, name: str) -> None:
    assert recording.steady(port_cases.CASES[name](StageOnServer(cluster))) == recording.read("port")[name], recording.AGAIN
