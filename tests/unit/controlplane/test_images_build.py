"""The images say exactly what the catalog says, and hold what the services import."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

from booking_templates import catalog
from controlplane.rendering import images
from docker import build

ROOT = Path(__file__).resolve().parents[3]
# How a distribution is called where that is not the name of its package.
DISTRIBUTIONS = {"argon2": "argon2-cffi", "MySQLdb": "mysqlclient", "django": "Django"}


def imported(package: Path) -> set[str]:
    """First names of all that the code below PACKAGE imports from elsewhere."""
    found: set[str] = set()
    for path in package.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.partition(".")[0])
    return found - set(sys.stdlib_module_names) - {"booking_templates"}


def test_a_service_image_holds_every_package_that_the_services_import() -> None:
    listed = {line for line in (ROOT / "docker/service-requirements.txt").read_text().splitlines() if line and not line.startswith("#")}

    assert {DISTRIBUTIONS.get(name, name) for name in imported(ROOT / "booking_templates")} <= listed


@pytest.mark.parametrize("image", catalog.IMAGES, ids=lambda image: image.name)
def test_an_image_carries_the_catalogs_environment_command_and_labels(image: catalog.Image) -> None:
    lines = build.dockerfile(image.name).splitlines()

    assert {f'ENV {name}="{value}"' for name, value in image.env.items()} <= set(lines)
    assert f'LABEL {catalog.LABEL_PREFIX}service="{image.service}"' in lines
    assert 'CMD ["python", "-m", "booking_templates", "serve"]' in lines
    assert "USER 10001:10001" in lines
    labels = {name: value for name, _, value in (line.removeprefix("LABEL ").partition("=") for line in lines if line.startswith("LABEL"))}
    read = images.from_labels(ref=image.ref, labels={name: value[1:-1] for name, value in labels.items()})
    assert (read.service, read.port) == (image.service, image.port)


def test_a_name_that_is_no_image_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        build.main(["be-teleport"])

    assert "be-teleport" in capsys.readouterr().err
