"""`python -m controlplane.embedded up | down | status`: what `./clove` runs."""

from __future__ import annotations

import argparse
import sys

from controlplane.embedded.layout import UpError, read_layout
from controlplane.embedded.up import Up, down, status


def main() -> int:
    parser = argparse.ArgumentParser(prog="./clove")
    commands = parser.add_subparsers(dest="command", required=True)
    starting = commands.add_parser("up", help="start everything on this machine")
    starting.add_argument("--empty", action="store_true", help="deploy no example event")
    commands.add_parser("down", help="stop it")
    commands.add_parser("status", help="say what runs")
    arguments = parser.parse_args()
    try:
        layout = read_layout()
        if arguments.command == "up":
            return Up(layout, deploys_example=not arguments.empty).run()
        return down(layout) if arguments.command == "down" else status(layout)
    except UpError as error:
        print(error, file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
