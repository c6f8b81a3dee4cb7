from pathlib import Path
from typing import Any

from controlplane.runtime.local.claims import Claims
from controlplane.runtime.local.layout import Home, SystemFiles
from controlplane.runtime.local.podspec import PodSpec, read_template
from controlplane.runtime.local.volumes import make_root, project

MOUNTS = [
    {"name": "secrets", "mountPath": "/etc/clove/secrets"},
    {"name": "data", "mountPath": "/var/lib/clove"},
    {"name": "tmp", "mountPath": "/tmp"},
    {"name": "both", "mountPath": "/etc/both"},
]
VOLUMES: list[dict[str, Any]] = [
    {"name": "secrets", "secret": {"secretName": "seat-secrets"}},
    {"name": "data", "persistentVolumeClaim": {"claimName": "seat-data"}},
    {"name": "tmp", "emptyDir": {}},
    {
        "name": "both",
        "projected": {
            "sources": [
                {"configMap": {"name": "booking", "items": [{"key": "zone", "path": "deep/zone.txt"}]}},
                {"secret": {"name": "none", "optional": True}},
            ]
        },
    },
]


def _spec() -> PodSpec:
    return read_template(
        {"spec": {"containers": [{"name": "seat", "image": "x", "volumeMounts": MOUNTS}], "volumes": VOLUMES}}, "Deployment seat"
    )


def _files(tmp_path: Path) -> SystemFiles:
    return Home(tmp_path).system("clove-1")


def _root(tmp_path: Path, pod: str, secret: str = "one") -> Path:
    files, spec = _files(tmp_path), _spec()
    project(files, [spec], {"booking": {"zone": "Seoul", "other": "x"}}, {"seat-secrets": {"key": secret}})
    return make_root(files, Claims(files), files.pods / pod, spec, spec.containers[0])


def test_mounts_are_found_below_the_root(tmp_path: Path) -> None:
    root = _root(tmp_path, "seat-1")

    assert (root / "etc/clove/secrets/key").read_text() == "one"
    assert (root / "etc/both/deep/zone.txt").read_text() == "Seoul"
    assert not (root / "etc/both/other").exists()
    assert (root / "tmp").is_dir()


def test_a_claim_is_shared_by_replicas_and_an_empty_directory_is_not(tmp_path: Path) -> None:
    one, other = _root(tmp_path, "seat-1"), _root(tmp_path, "seat-2")
    for directory in ("var/lib/clove", "tmp"):
        (one / directory / "file").write_text("x")

    assert (other / "var/lib/clove/file").exists()
    assert not (other / "tmp/file").exists()


def test_new_values_show_in_the_files_of_a_running_replica(tmp_path: Path) -> None:
    root = _root(tmp_path, "seat-1")

    _root(tmp_path, "seat-2", secret="two")

    assert (root / "etc/clove/secrets/key").read_text() == "two"
    assert len(list(_files(tmp_path).projected.glob("*/*/key"))) == 2  # the link, and what it leads to


def test_values_that_are_gone_stay_in_the_files_of_what_runs(tmp_path: Path) -> None:
    root = _root(tmp_path, "seat-1")

    project(_files(tmp_path), [_spec()], {"booking": {}}, {})

    assert (root / "etc/clove/secrets/key").read_text() == "one"


def test_what_no_pod_mounts_is_removed(tmp_path: Path) -> None:
    _root(tmp_path, "seat-1")

    project(_files(tmp_path), [], {}, {})

    assert list(_files(tmp_path).projected.iterdir()) == []


def test_files_of_secrets_are_private(tmp_path: Path) -> None:
    root = _root(tmp_path, "seat-1")

    assert (root / "etc/clove/secrets/key").stat().st_mode & 0o077 == 0


def test_what_a_power_cut_left_empty_is_written_again(tmp_path: Path) -> None:
    root = _root(tmp_path, "seat-1")
    (root / "etc/clove/secrets/key").write_text("")

    _root(tmp_path, "seat-1")

    assert (root / "etc/clove/secrets/key").read_text() == "one"
