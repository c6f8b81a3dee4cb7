"""A revision as plain YAML: whole, without a secret, the same each time, and committed alone."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import CommandError, call_command

from controlplane.accounts.models import User
from controlplane.rendering.plan import Restore
from controlplane.rendering.render import render
from controlplane.systems import planning, services
from controlplane.systems.exporting import NEVER_DELETED
from controlplane.systems.models import BookingSystem, Revision
from controlplane.systems.secrets import secrets_for
from tests.controlplane import SiteRuntime, numbered_requirement
from tests.integration.controlplane.looks import deployed, settle

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def live(seller: User, runtime: SiteRuntime, settings: Any) -> BookingSystem:
    settings.RUNTIME, settings.BOOKING_DATABASE = "fake", "mariadb"
    return deployed(seller, runtime)


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clone of a bare repository, with a file of somebody else."""
    for name in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{name}_NAME", "Tester")
        monkeypatch.setenv(f"GIT_{name}_EMAIL", "tester@example.kr")
    git(tmp_path, "init", "--quiet", "--bare", "origin.git")
    git(tmp_path, "clone", "--quiet", "origin.git", "clone")
    (tmp_path / "clone/README").write_text("theirs")
    git(tmp_path / "clone", "add", "README")
    git(tmp_path / "clone", "commit", "--quiet", "-m", "theirs")
    git(tmp_path / "clone", "push", "--quiet", "-u", "origin", "HEAD")
    return tmp_path / "clone"


def git(directory: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(directory), *arguments], capture_output=True, text=True, check=True, env=os.environ)
    return done.stdout.strip()


def plain(item: dict[str, Any]) -> dict[str, Any]:
    """ITEM without what an export adds."""
    metadata = dict(item["metadata"])
    annotations = {name: text for name, text in metadata.pop("annotations", {}).items() if name not in NEVER_DELETED}
    return {**item, "metadata": {**metadata, **({"annotations": annotations} if annotations else {})}}


def read(directory: Path) -> list[dict[str, Any]]:
    listing = yaml.safe_load((directory / "kustomization.yaml").read_text())
    assert sorted([*listing["resources"], "kustomization.yaml"]) == sorted(path.name for path in directory.iterdir())
    return [yaml.safe_load((directory / name).read_text()) for name in listing["resources"]]


def test_what_is_exported_is_the_live_revision_and_holds_no_secret(live: BookingSystem, tmp_path: Path) -> None:
    call_command("export_revision", live.pk, tmp_path / "out")

    assert live.live_revision
    assert [plain(item) for item in read(tmp_path / "out")] == live.live_revision.manifests
    plan = planning.live_plan(live)
    assert plan
    text = "".join(path.read_text() for path in (tmp_path / "out").iterdir())
    assert not [value for files in secrets_for(live, plan).values() for value in files.values() if value and value in text]


def test_kustomize_builds_what_is_exported(live: BookingSystem, tmp_path: Path) -> None:
    if not (kubectl := shutil.which("kubectl")):
        pytest.skip("needs kubectl")
    call_command("export_revision", live.pk, tmp_path / "out")

    built = subprocess.run([kubectl, "kustomize", str(tmp_path / "out")], capture_output=True, text=True, check=True).stdout

    def by_name(objects: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return sorted(objects, key=lambda item: (item["kind"], item["metadata"]["name"]))

    assert by_name(list(yaml.safe_load_all(built))) == by_name(read(tmp_path / "out"))


def test_the_next_revision_replaces_what_changed_and_removes_what_fell_out(
    live: BookingSystem, runtime: SiteRuntime, seller: User, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    directory = tmp_path / "out"
    call_command("export_revision", live.pk, directory)
    assert (directory / "deployment-merch.yaml").exists()
    call_command("export_revision", live.pk, directory)
    assert capsys.readouterr().out.endswith("0 files changed.\n")

    services.system_update(system=live, requirement=numbered_requirement(merchandise=False, products=[]), acting_user=seller)
    settle(live, runtime)
    call_command("export_revision", live.pk, directory)
    assert not (directory / "deployment-merch.yaml").exists()
    call_command("export_revision", live.pk, directory, revision=1)
    assert (directory / "deployment-merch.yaml").exists()


def test_what_clove_keeps_nobody_who_syncs_the_export_deletes(seller: User, runtime: SiteRuntime, settings: Any, tmp_path: Path) -> None:
    settings.RUNTIME, settings.BOOKING_DATABASE = "fake", "sqlite"
    system, directory = deployed(seller, runtime), tmp_path / "out"
    call_command("export_revision", system.pk, directory)
    before = {item["metadata"]["name"]: item for item in read(directory) if item["kind"] == "PersistentVolumeClaim"}
    assert "merch-data" in before

    services.system_update(system=system, requirement=numbered_requirement(merchandise=False, products=[]), acting_user=seller)
    assert settle(system, runtime).is_live
    call_command("export_revision", system.pk, directory)

    after = read(directory)
    assert {item["metadata"]["name"]: item for item in after if item["kind"] == "PersistentVolumeClaim"} == before
    for item in after:
        is_held = item["kind"] in ("Namespace", "PersistentVolumeClaim")
        assert (NEVER_DELETED.items() <= item["metadata"].get("annotations", {}).items()) is is_held, item["metadata"]["name"]
    hard = next(item for item in after if item["kind"] == "ResourceQuota")["spec"]["hard"]
    assert int(hard["persistentvolumeclaims"]) >= len(before)
    sizes = [int(item["spec"]["resources"]["requests"]["storage"].removesuffix("Mi")) for item in before.values()]
    assert int(hard["requests.storage"].removesuffix("Mi")) >= sum(sizes)


def test_a_backup_is_not_put_back_again_by_who_syncs_the_export(live: BookingSystem, tmp_path: Path) -> None:
    assert live.live_revision
    plan = planning.live_plan(live)
    assert plan
    objects = render(replace(plan, restore=Restore("latest", 7)))
    assert [item for item in objects if "restore" in item["metadata"]["name"]]
    Revision.objects.create(
        system=live, number=2, requirement=live.live_revision.requirement, plan=live.live_revision.plan, manifests=objects
    )

    call_command("export_revision", live.pk, tmp_path / "out", revision=2)

    assert not [item for item in read(tmp_path / "out") if "restore" in item["metadata"]["name"]]


def test_only_its_own_directory_is_committed_and_pushed(live: BookingSystem, repository: Path) -> None:
    (repository / "README").write_text("changed by somebody else, not yet committed")

    call_command("export_revision", live.pk, repository / "systems/17", push=True)

    assert git(repository, "log", "-1", "--format=%s", "@{upstream}") == f"{live.namespace}: Revision 1"
    assert {name.split("/")[0] for name in git(repository, "show", "--name-only", "--format=", "HEAD").split()} == {"systems"}
    assert git(repository, "status", "--porcelain") == "M README"
    before = git(repository, "rev-parse", "HEAD")
    call_command("export_revision", live.pk, repository / "systems/17", push=True)
    assert git(repository, "rev-parse", "HEAD") == before


def test_a_push_that_failed_is_made_up_for_by_the_next(live: BookingSystem, repository: Path) -> None:
    address = git(repository, "remote", "get-url", "origin")
    git(repository, "remote", "set-url", "origin", str(repository / "nowhere"))
    with pytest.raises(CommandError, match="git push"):
        call_command("export_revision", live.pk, repository / "systems/17", push=True)
    git(repository, "remote", "set-url", "origin", address)

    call_command("export_revision", live.pk, repository / "systems/17", push=True)

    assert git(repository, "rev-parse", "@{upstream}") == git(repository, "rev-parse", "HEAD")


def test_files_of_others_and_a_directory_without_git_are_left_alone(live: BookingSystem, tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "app.yaml").write_bytes("kind: Deployment  # 공연\n".encode("euc-kr"))
    with pytest.raises(CommandError, match=r"app\.yaml"):
        call_command("export_revision", live.pk, theirs)
    assert [path.name for path in theirs.iterdir()] == ["app.yaml"]

    with pytest.raises(CommandError, match="git"):
        call_command("export_revision", live.pk, tmp_path / "plain", commit=True)
    with pytest.raises(CommandError, match="no such revision"):
        call_command("export_revision", live.pk, tmp_path / "none", revision=99)


def test_where_there_is_no_git_the_files_are_written_and_it_says_so(
    live: BookingSystem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    with pytest.raises(CommandError, match="git is not installed"):
        call_command("export_revision", live.pk, tmp_path / "out", commit=True)
    assert read(tmp_path / "out")


def test_the_export_is_routed_as_the_platform_routes(live: BookingSystem, tmp_path: Path, settings: Any) -> None:
    settings.ROUTING, settings.TLS_SECRET = "ingress", "tickets-tls"
    call_command("export_revision", live.pk, tmp_path / "out")

    kinds = {item["kind"] for item in read(tmp_path / "out")}
    assert "Ingress" in kinds
    assert "HTTPRoute" not in kinds
