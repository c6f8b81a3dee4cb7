"""The checker of I1–I7 from a terminal; the exit code is 1 when something is wrong, or still under way."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from zoneinfo import ZoneInfo

import bench.invariants
from bench.invariants import ZONE, check, ledger, unsettled


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.invariants", description=(bench.invariants.__doc__ or "").splitlines()[0])
    parser.add_argument("--ticket", required=True, metavar="URL")
    parser.add_argument("--seat", required=True, metavar="URL")
    parser.add_argument("--merch", default="", metavar="URL")
    parser.add_argument("--auth", default="", metavar="URL", help="where mail is sent")
    parser.add_argument("--standin", default="", metavar="URL")
    parser.add_argument("--admin-key", default="")
    parser.add_argument("--acknowledged", type=Path, metavar="FILE", help="ids of orders that buyers were told are issued, one a line")
    parser.add_argument("--zone", default=ZONE, help=f"the event's, {ZONE} without it")
    arguments = parser.parse_args()
    payments = ledger(arguments.standin, arguments.admin_key) if arguments.standin else []
    waiting = unsettled(ticket=arguments.ticket, merch=arguments.merch)
    findings = check(
        ticket=arguments.ticket,
        seat=arguments.seat,
        merch=arguments.merch,
        auth=arguments.auth,
        payments=payments,
        has_payments=bool(arguments.standin),
        acknowledged=arguments.acknowledged.read_text().split() if arguments.acknowledged else (),
        zone=ZoneInfo(arguments.zone),
    )
    print(findings)
    print(f"unsettled: {waiting}")
    return 1 if findings.total or waiting else 0


if __name__ == "__main__":
    sys.exit(main())
