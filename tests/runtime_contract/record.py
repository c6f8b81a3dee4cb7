"""Records a real API server's answers anew: `KUBEBUILDER_ASSETS=… python -m tests.runtime_contract.record`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.integration.runtime_kubernetes.conftest import api_of, with_routes
from tests.integration.runtime_kubernetes.server import api_server
from tests.integration.runtime_kubernetes.stage import StageOnServer
from tests.runtime_contract import port_cases, recording, server_answers


def main() -> int:
    """Writes both files and tells where they are."""
    with tempfile.TemporaryDirectory(prefix="clove-record-") as home, api_server(Path(home)) as running:
        cluster = with_routes(api_of(running.admin))
        version = "{major}.{minor}".format(**(cluster.api.find("/version") or {}))
        server = server_answers.Server(cluster.api, api_of(running.nobody), api_of(running.stranger))
        answers = {name: case(server) for name, case in server_answers.CASES.items()}
        written = [recording.write("answers", server=version, cases=answers)]
        stage = StageOnServer(cluster)
        written.append(recording.write("port", server=version, cases={name: case(stage) for name, case in port_cases.CASES.items()}))
    sys.stdout.write("".join(f"{path}\n" for path in written))
    return 0


if __name__ == "__main__":
    sys.exit(main())
