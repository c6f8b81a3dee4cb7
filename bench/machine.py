"""How fast this machine is: a bare Django view, and one with a single conditional UPDATE on MariaDB, asked by wrk.

Nothing of Clove takes part. Figures of two machines compare by it, and those of a virtual one from hour to hour.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from pathlib import Path

from bench.measure import Row
from bench.seats import bare_view, database
from tests.needs import find

SECONDS = 4
ROUNDS = 3
CONNECTIONS = 16
ROWS = 60_000
"""Of `bench.bare_app`. Each is taken once, as long as there are some: an UPDATE that finds nothing costs less."""
UPDATES = """
local row = {first}
request = function()
  row = row + 1
  return wrk.format("POST", "/" .. row % {rows})
end
"""


def run() -> list[Row]:
    """Requests a second, medians of rounds taken in turn, the client on the same cores."""
    with (
        tempfile.TemporaryDirectory(prefix="clove-bench-") as name,
        database("mariadb", Path(name)) as url,
        bare_view(f"{url}/bench") as port,
    ):
        plain, updates = [], []
        for each in range(ROUNDS):
            plain.append(_rate(f"http://127.0.0.1:{port}/body/20"))
            updates.append(updates_per_s(port, each / ROUNDS, Path(name)))
    return [
        Row("machine: a bare Django view", sorted(plain)[ROUNDS // 2], "requests/s"),
        Row("machine: one with an UPDATE on MariaDB", sorted(updates)[ROUNDS // 2], "requests/s"),
    ]


def updates_per_s(port: int, first: float, directory: Path) -> float:
    """UPDATEs a second of `bench.bare_app` at PORT, from that part of its rows on."""
    script = directory / "updates.lua"
    script.write_text(UPDATES.format(first=int(first * ROWS), rows=ROWS), encoding="ascii")
    return _rate(f"http://127.0.0.1:{port}/", "-s", str(script))


def _rate(url: str, *script: str) -> float:
    """Requests a second to URL. Raises RuntimeError when one was not answered with 2xx or 3xx."""
    program = find("wrk")
    if program is None:
        raise RuntimeError("wrk is missing")
    command = [program, "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", *script, url]
    told = subprocess.run(command, check=True, capture_output=True, text=True, timeout=10 * SECONDS).stdout
    found = re.search(r"Requests/sec:\s*([\d.]+)", told)
    if found is None or "Non-2xx" in told or "Socket errors" in told:
        raise RuntimeError(told)
    return float(found[1])
