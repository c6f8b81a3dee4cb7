"""`./clove bench [NAME…] [--json]`: measures what DESIGN's figures speak of, each beside its floor of the same run where it has one.

`./clove bench bots ADDRESS …` sends bots to a booking system that is there.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
import traceback
from pathlib import Path

from bench.bots import __main__ as bots
from bench.measure import Row, Stolen, machine
from tests.needs import find
from tests.run import install_servers

MEASURES = (
    "machine",
    "deploy",
    "restart",
    "memory",
    "recovery",
    "race",
    "hold",
    "availability",
    "purchase",
    "pages",
    "rush",
    "plan",
    "bots",
    "sweep",
)

ON_MARIADB = frozenset({"machine", "race", "hold", "availability", "purchase", "rush", "plan", "bots"})
"""Those that start a server of their own."""


def main() -> int:
    """Run the measures that are named, or all there are; the exit code is 1 when one broke or counted a violation."""
    if sys.argv[1:2] == ["bots"] and len(sys.argv) > 2 and sys.argv[2] != "--json":
        return bots.main(sys.argv[2:])
    there = [name for name in MEASURES if importlib.util.find_spec(f"bench.{name}")]
    parser = argparse.ArgumentParser(prog="./clove bench")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(there))
    parser.add_argument("--json", action="store_true", help="an object a line instead of the table")
    cluster = parser.add_argument_group("deploy on a cluster, instead of on this machine")
    cluster.add_argument("--kubeconfig", metavar="FILE", type=Path, help="whose cluster may be used; this machine is one of its nodes")
    cluster.add_argument("--kubectl", metavar="PATH", default="kubectl", help="what to compare with (default: the one in PATH)")
    arguments = parser.parse_args()
    if arguments.kubeconfig and arguments.names != ["deploy"]:
        parser.error("--kubeconfig is for the measure deploy alone")
    if unknown := set(arguments.names) - set(there):
        parser.error(f"there is no measure {', '.join(sorted(unknown))}; there are {', '.join(there)}")
    chosen = arguments.names or there
    if not ON_MARIADB.isdisjoint(chosen) and (lacking := _lacking()):
        parser.error(f"{lacking} is missing (on Debian and Ubuntu, as root: it is installed by itself)")
    broken = False
    if not arguments.json:
        print("  ".join(f"{name} {value}" for name, value in machine().items()))
        print(f"{'measure':52} {'value':>12} {'unit':14} {'floor':>10} {'ratio':>7} {'violations':>10}", flush=True)
    for name in chosen:
        stolen = Stolen()
        try:
            rows = _measure(name, arguments)
        except Exception:
            traceback.print_exc()
            print(f"{name}: broke", file=sys.stderr)
            broken = True
            continue
        share = stolen.share()
        for row in rows:
            print(json.dumps(row.as_dict(share), ensure_ascii=False) if arguments.json else _line(row), flush=True)
            broken = broken or bool(row.violations)
        if share and not arguments.json:
            print(f"  of the processor time that {name} wanted, others on this virtual machine's host had {share:.0%}", flush=True)
    return 1 if broken else 0


def _lacking() -> str:
    """What the measures on MariaDB still lack after it was installed where that is possible."""
    install_servers()
    importlib.invalidate_caches()
    if find("mariadb") is None:
        return "mariadb-server"
    return "" if importlib.util.find_spec("MySQLdb") else "mysqlclient (requirements-mysql.txt)"


def _measure(name: str, arguments: argparse.Namespace) -> list[Row]:
    if arguments.kubeconfig:
        on_cluster: list[Row] = importlib.import_module("bench.deploy_cluster").run(arguments.kubeconfig, arguments.kubectl)
        return on_cluster
    here: list[Row] = importlib.import_module(f"bench.{name}").run()
    return here


def _line(row: Row) -> str:
    def shown(value: float | None) -> str:
        return "" if value is None else f"{value:,.2f}" if abs(value) < 100 else f"{value:,.0f}"

    violations = "" if row.violations is None else str(row.violations)
    return f"{row.measure:52} {shown(row.value):>12} {row.unit:14} {shown(row.floor):>10} {shown(row.ratio):>7} {violations:>10}"


if __name__ == "__main__":
    sys.exit(main())
