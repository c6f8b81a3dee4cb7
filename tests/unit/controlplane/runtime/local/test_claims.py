"""Which directory is a claim's volume, and that none takes the place of one that is gone."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from controlplane.runtime.errors import DataGone
from controlplane.runtime.local.claims import MARK, Claims, forget_gone
from controlplane.runtime.local.layout import Home, SystemFiles


@pytest.fixture
def files(tmp_path: Path) -> SystemFiles:
    files = Home(tmp_path / "home").system("clove-1")
    files.path.mkdir(parents=True)
    return files


def made(files: SystemFiles) -> dict[str, str]:
    """A claim with a database, and one without, as they are noted while their services run."""
    claims = Claims(files)
    claims.make(["seat-data", "web-data"])
    (files.volumes / "seat-data" / "db.sqlite3").write_text("seats")
    return claims.standing(["seat-data", "web-data"])


def test_each_volume_has_a_mark_that_stays(files: SystemFiles) -> None:
    first = made(files)

    Claims(files).make(["seat-data", "web-data"])

    assert len(set(first.values())) == 2
    assert Claims(files).standing(["seat-data", "web-data", "other"]) == first
    assert Claims(files).directory("seat-data") == files.volumes / "seat-data"


def test_a_directory_of_an_earlier_release_becomes_the_volume(files: SystemFiles) -> None:
    (files.volumes / "seat-data").mkdir(parents=True)
    (files.volumes / "seat-data" / "db.sqlite3").write_text("seats")

    claims = Claims(files)
    claims.make(["seat-data"])

    assert claims.standing(["seat-data"]) == {"seat-data": (files.volumes / "seat-data" / MARK).read_text().strip()}
    assert (files.volumes / "seat-data" / "db.sqlite3").read_text() == "seats"


@pytest.mark.parametrize("what", ["directory", "all directories", "database", "another directory", "the other's directory"])
def test_no_replica_starts_on_what_is_not_its_volume(files: SystemFiles, what: str) -> None:
    made(files)
    path = files.volumes / "seat-data"
    if what == "database":
        (path / "db.sqlite3").unlink()
    else:
        shutil.rmtree(files.volumes if what == "all directories" else path)
    if what == "another directory":
        path.mkdir()
        (path / "db.sqlite3").write_text("empty")
    if what == "the other's directory":
        shutil.copytree(files.volumes / "web-data", path)

    assert "seat-data" not in Claims(files).standing(["seat-data"])
    with pytest.raises(DataGone, match="seat-data"):
        Claims(files).directory("seat-data")
    Claims(files).make(["seat-data"])
    assert "seat-data" not in Claims(files).standing(["seat-data"])


def test_what_is_put_back_whole_is_the_volume_again(files: SystemFiles, tmp_path: Path) -> None:
    first = made(files)
    shutil.copytree(files.volumes, tmp_path / "copy")
    claims = Claims(files)
    shutil.rmtree(files.volumes)
    assert claims.standing(first) == {}

    shutil.copytree(tmp_path / "copy", files.volumes)

    assert claims.standing(first) == first


def test_a_gone_volume_is_made_anew_once_it_is_forgotten_and_the_others_stay(files: SystemFiles) -> None:
    first = made(files)
    shutil.rmtree(files.volumes / "seat-data")

    forget_gone(files, ["seat-data", "web-data"])
    Claims(files).make(["seat-data", "web-data"])

    now = Claims(files).standing(["seat-data", "web-data"])
    assert now["web-data"] == first["web-data"]
    assert now["seat-data"] != first["seat-data"]


def test_a_damaged_note_is_written_anew_by_the_marks(files: SystemFiles) -> None:
    first = made(files)
    files.claims.write_text("{]")

    claims = Claims(files)
    claims.make(["seat-data", "web-data"])

    assert claims.standing(["seat-data", "web-data"]) == first
