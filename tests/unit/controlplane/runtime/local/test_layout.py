import os
import stat
from pathlib import Path

import pytest

from controlplane.runtime.errors import OwnedByAnother, Rejected
from controlplane.runtime.local import hostnames, layout
from controlplane.runtime.local.layout import Home
from tests.runtime_contract.systems import ref, system_objects


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_files_and_directories_are_private(tmp_path: Path) -> None:
    home = Home(tmp_path / "a" / "home")
    home.create()
    layout.write_json(home.root / "secrets.json", {"a": 1}, durable=True)

    assert (_mode(home.root), _mode(home.root / "secrets.json")) == (0o700, 0o600)
    assert layout.read_json(home.root / "secrets.json") == {"a": 1}
    assert [path.name for path in home.root.iterdir() if path.name.startswith(".secrets")] == []


def test_a_write_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "desired.json"
    layout.write_json(path, 1)
    path_of_a_directory = tmp_path / "directory"
    path_of_a_directory.mkdir()

    with pytest.raises(OSError, match="directory"):
        layout.write_atomic(path_of_a_directory, b"x")

    assert layout.read_json(path) == 1
    assert sorted(os.listdir(tmp_path)) == ["desired.json", "directory"]


@pytest.mark.parametrize("name", ["", "..", "a/b", "A", "-a", "a" * 64, "priority", ".hosts", "a.b"])
def test_what_is_no_namespace_has_no_files(tmp_path: Path, name: str) -> None:
    with pytest.raises(Rejected):
        Home(tmp_path).system(name)


def test_namespaces_come_in_the_order_they_were_numbered(tmp_path: Path) -> None:
    home = Home(tmp_path)
    assert Home(tmp_path / "none").namespaces() == []
    home.create()
    for name in ("clove-10", "clove-9", "clove-100"):
        (tmp_path / name).mkdir()
    (tmp_path / "supervisor.json").write_text("{}")

    assert home.namespaces() == ["clove-9", "clove-10", "clove-100"]


def test_the_socket_fits_however_deep_the_home_is(tmp_path: Path) -> None:
    deep = Home(tmp_path / ("x" * 90) / "home")

    assert len(os.fsencode(deep.socket)) <= 100
    assert deep.socket == Home(tmp_path / ("x" * 90) / "home").socket
    assert deep.socket != Home(tmp_path / ("y" * 90) / "home").socket


def _apply(home: Home, number: int, name: str) -> None:
    hostnames.claim(home, ref(number).namespace, [name])
    files = home.system(ref(number).namespace)
    layout.make_dir(files.path)
    layout.write_json(files.desired, {"objects": system_objects(ref(number), host=name)})


def test_a_host_name_belongs_to_one_system_until_it_gives_it_up(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.create()
    _apply(home, 1, "phantom.localhost")

    hostnames.claim(home, "clove-1", ["phantom.localhost"])
    with pytest.raises(OwnedByAnother) as refusal:
        hostnames.claim(home, "clove-2", ["phantom.localhost"])
    assert refusal.value.owner == "clove-1"

    hostnames.release(home, "clove-2", ["phantom.localhost"])
    hostnames.release(home, "clove-1", ["phantom.localhost", "never.localhost"])
    hostnames.claim(home, "clove-2", ["phantom.localhost"])


def test_a_claim_that_its_system_does_not_stand_by_counts_for_nothing(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.create()
    hostnames.claim(home, "clove-1", ["phantom.localhost"])

    hostnames.claim(home, "clove-2", ["phantom.localhost"])


def test_a_claim_that_a_power_cut_left_empty_counts_for_nothing(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.create()
    (home.hostnames / "phantom.localhost").touch()

    hostnames.check(home, "clove-1", ["phantom.localhost"])
    hostnames.claim(home, "clove-1", ["phantom.localhost"])
    assert (home.hostnames / "phantom.localhost").read_text() == "clove-1"
