"""Reading a requirement from files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from controlplane.rendering.loading import Unreadable, load_pictures, load_requirement


def write(path: Path, document: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return path


def test_a_plan_in_a_file_beside_is_put_in_its_place(tmp_path: Path) -> None:
    write(tmp_path / "plans" / "hall.json", {"zones": []})
    path = write(tmp_path / "event.json", {"seating": {"numbered": True, "plan_file": "plans/hall.json"}})

    assert load_requirement(path) == {"seating": {"numbered": True, "plan": {"zones": []}}}


@pytest.mark.parametrize("name", ["../secret.json", "/etc/hostname", "none.json", "a\x00b", "", 7, None])
def test_a_plan_elsewhere_is_not_read(tmp_path: Path, name: Any) -> None:
    write(tmp_path / "secret.json", {"zones": []})
    path = write(tmp_path / "events" / "event.json", {"seating": {"numbered": True, "plan_file": name}})

    with pytest.raises(Unreadable) as caught:
        load_requirement(path)

    assert (caught.value.problem.path, caught.value.problem.code) == ("seating.plan_file", "no_such_file")


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    write(tmp_path / "secret.json", {"zones": []})
    path = write(tmp_path / "events" / "event.json", {"seating": {"numbered": True, "plan_file": "link.json"}})
    (tmp_path / "events" / "link.json").symlink_to(tmp_path / "secret.json")

    with pytest.raises(Unreadable):
        load_requirement(path)


def test_pictures_in_files_beside_are_read_by_their_products_and_named_by_none(tmp_path: Path) -> None:
    (tmp_path / "hat.png").write_bytes(b"picture")
    path = write(tmp_path / "event.json", {"products": [{"id": "cap"}, {"id": "hat", "picture_file": "hat.png"}, 5]})

    assert load_pictures(path) == {1: b"picture"}
    assert load_requirement(path) == {"products": [{"id": "cap"}, {"id": "hat"}, 5]}


@pytest.mark.parametrize("name", ["../secret.png", "/etc/hostname", "none.png", "a\x00b", "", 7, None])
def test_a_picture_elsewhere_is_not_read(tmp_path: Path, name: Any) -> None:
    (tmp_path / "secret.png").write_bytes(b"picture")
    path = write(tmp_path / "events" / "event.json", {"products": [{"picture_file": name}]})

    with pytest.raises(Unreadable) as caught:
        load_pictures(path)

    assert (caught.value.problem.path, caught.value.problem.code) == ("products[0].picture_file", "no_such_file")


@pytest.mark.parametrize("text", ["", "{", "\x00", "[" * 100_000, '{"a": ' + "1" * 5_000 + "}"])
def test_what_is_no_json_is_told_as_such(tmp_path: Path, text: str) -> None:
    with pytest.raises(Unreadable) as caught:
        load_requirement(write(tmp_path / "event.json", text))

    assert caught.value.problem.code == "not_json"
