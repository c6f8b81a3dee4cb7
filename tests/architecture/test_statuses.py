"""What the booking services raise has the status that their OpenAPI documents tell."""

from __future__ import annotations

import ast
from importlib import import_module
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "booking_templates"
PROBLEMS = PACKAGE / "kit" / "problems.py"
PARTS = ("kit", "payments", "auth", "event", "seat", "ticket", "merch", "web", "standin")


def status_of_class() -> dict[str, int]:
    """Name of a Problem -> its status, as problems.py has it."""
    found = {}
    for node in ast.parse(PROBLEMS.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ClassDef) and node.name != "Problem":  # what is a bug is promised to nobody
            for line in node.body:
                if isinstance(line, ast.Assign) and ast.unparse(line.targets[0]) == "status":
                    found[node.name] = ast.literal_eval(line.value)
    return found


def raised(part: str) -> set[tuple[str, int, str]]:
    """(code, status, where) of every problem that PART makes."""
    statuses = status_of_class()
    found = set()
    for path in sorted((PACKAGE / part).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args):
                continue
            code = node.args[0]
            if isinstance(code, ast.Constant) and isinstance(code.value, str):
                status = statuses.get(node.func.id) or {"refused": 409, "unavailable": 503}.get(node.func.id)
                if status:
                    found.add((code.value, status, f"{path.relative_to(PACKAGE)}:{node.lineno}"))
    return found


def known(part: str) -> dict[str, int]:
    own = PACKAGE / part / "statuses.py"
    return import_module(f"booking_templates.{part}.statuses").STATUS if own.exists() else {}


@pytest.mark.parametrize("part", PARTS)
def test_every_problem_that_is_raised_has_its_status_in_the_table(part: str) -> None:
    table = known("kit") | known("payments") | known(part)
    wrong = [
        f"{where}: {code} is {status}, the table has {table.get(code)}" for code, status, where in raised(part) if table.get(code) != status
    ]
    assert not wrong, "\n".join(sorted(wrong))


def test_the_problems_of_the_services_are_found() -> None:
    codes = {code for part in PARTS for code, _status, _where in raised(part)}
    assert {"seats_taken", "order_changed", "hold_expired", "json_expected"} <= codes


def test_the_words_for_refusals_have_a_status() -> None:
    tree = ast.parse((PACKAGE / "payments" / "answers.py").read_text(encoding="utf-8"))
    words = next(node.value for node in tree.body if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "REFUSALS")
    assert isinstance(words, ast.Dict)
    codes = {ast.literal_eval(key) for key in words.keys if key is not None}
    assert codes <= {code for code, status in known("payments").items() if status == 409}
