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


def test_both_builders_read_the_same_list_of_what_they_get() -> None:
    """BuildKit knows only .dockerignore; buildah reads that too, unless there is a .containerignore. Both prefer a Dockerfile's own."""
    lists = {path.name for path in (*ROOT.glob(".*ignore"), *(ROOT / "docker").glob("*ignore")) if path.name != ".gitignore"}

    assert lists == {".dockerignore"}


def test_the_builders_get_what_is_copied_into_images_and_nothing_else() -> None:
    first, *opened = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    copied: set[str] = set()
    for path in (ROOT / "docker").glob("*.Dockerfile"):
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith("COPY ") and "--from" not in line:
                copied |= set(line.split()[1:-1])

    assert (first, opened[-1]) == ("*", "**/__pycache__")
    names = [name.removeprefix("!") for name in opened[:-1]]
    assert all(name.startswith("!") for name in opened[:-1])
    assert all(any(source == name or source.startswith(f"{name}/") for name in names) for source in copied)
    assert all(any(source == name or source.startswith(f"{name}/") for source in copied) for name in names)
