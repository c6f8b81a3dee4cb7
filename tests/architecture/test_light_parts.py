"""Parts that must stay light: what they import, seen in a fresh interpreter. The static rules are import-linter's, in pyproject.toml."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from booking_templates import catalog
from booking_templates.kit import env

ROOT = Path(__file__).resolve().parent.parent.parent


def imported_by(module: str) -> set[str]:
    """Names of all modules that are there after importing MODULE alone."""
    code = f"import sys, {module}; print('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "module",
    [
        "booking_templates.catalog",
        "controlplane.rendering.render",
        "controlplane.rendering.requirement",
        "controlplane.runtime.port",
        "controlplane.runtime.fake",
        "controlplane.runtime.local.supervisor",
        "controlplane.embedded.up",
    ],
)
def test_it_works_without_django(module: str) -> None:
    assert "django" not in imported_by(module)


@pytest.mark.parametrize("module", ["controlplane.runtime.local.supervisor", "controlplane.rendering.render", "controlplane.embedded.up"])
def test_it_never_loads_the_kubernetes_client(module: str) -> None:
    assert "kubernetes" not in imported_by(module)


def test_the_catalog_imports_nothing_of_clove() -> None:
    others = {name for name in imported_by("booking_templates.catalog") if name.startswith(("controlplane", "booking_templates."))}
    assert others == {"booking_templates.catalog"}


def test_the_catalog_counts_the_threads_that_a_service_has_when_it_is_not_told() -> None:
    assert env.load({"CLOVE_SERVICE": "seat"}).threads == int(catalog.THREADS)
