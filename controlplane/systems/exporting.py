"""A revision as plain YAML, for Argo CD, Flux or `kubectl apply -k`: a file an object, and a kustomization that names them.

Secrets are not among them, for a revision holds none: docs/gitops.md says where they come from.

Clove never deletes a volume while a system lives, be it that no service has it any more; who syncs what is exported must not either. So
a claim stays in the export once a system had it, and says, as its namespace does, that it is not to be deleted when it falls out after all.
"""

from __future__ import annotations

import gzip
import io
import subprocess
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from controlplane.rendering.database import SERVER
from controlplane.rendering.render import to_yaml
from controlplane.runtime.objects import of_kind
from controlplane.runtime.port import Objects
from controlplane.systems.models import Revision
from controlplane.systems.orphans import ever_given

KUSTOMIZATION = "kustomization.yaml"
CLAIM = "PersistentVolumeClaim"
HOLDS_DATA = ("Namespace", CLAIM)
NEVER_DELETED = {
    # Neither when the object falls out of git, nor with the whole Application.
    "argocd.argoproj.io/sync-options": "Prune=false,Delete=false",
    "kustomize.toolkit.fluxcd.io/prune": "disabled",
}
"""Annotations that keep Argo CD and Flux from deleting an object. Both read them off the object in the cluster."""
_NO_TIME = 315532800
"""1980, when a file's time says nothing: tar warns of 1970."""
_HEAD = "# Written by Clove. What is changed here by hand is overwritten with the next revision.\n"


class CannotExport(Exception):
    """The directory holds what Clove did not write, or git refuses; the message says which."""


def exported(revision: Revision) -> list[dict[str, Any]]:
    """The objects of REVISION as they are exported, before they are routed: with the claims that its system had before, and has still."""
    kept = _kept_claims(revision)
    objects = [*_with_room(revision.manifests, kept), *kept]
    return [_never_deleted(item) if item["kind"] in HOLDS_DATA else dict(item) for item in objects if not _restores(item)]


def _restores(item: Any) -> bool:
    """Whether ITEM puts a backup back. That is done once: who syncs would do it again over what was sold since, were the Job gone."""
    return bool(item["kind"] == "Job" and item["metadata"]["name"].startswith(f"{SERVER}-restore-"))


def _kept_claims(revision: Revision) -> list[dict[str, Any]]:
    """Those that REVISION does not have, each as the last revision that has it."""
    there = {claim["metadata"]["name"] for claim in of_kind(revision.manifests, CLAIM)}
    kept: dict[str, dict[str, Any]] = {}
    for manifests in ever_given(revision.system).order_by("number").values_list("manifests", flat=True).iterator(chunk_size=5):
        kept |= {claim["metadata"]["name"]: dict(claim) for claim in of_kind(manifests, CLAIM)}
    return [kept[name] for name in sorted(kept.keys() - there)]


def _with_room(objects: Objects, kept: Objects) -> list[dict[str, Any]]:
    """OBJECTS with a quota that has room for the claims that are KEPT besides: in a new cluster these are made, too."""
    quotas = [dict(item) for item in of_kind(objects, "ResourceQuota")]
    for quota in quotas:
        hard = dict(quota["spec"]["hard"])
        hard["persistentvolumeclaims"] = str(int(hard["persistentvolumeclaims"]) + len(kept))
        hard["requests.storage"] = f"{_mib(hard['requests.storage']) + sum(map(_size_mib, kept))}Mi"
        quota["spec"] = {**quota["spec"], "hard": hard}
    return [quotas.pop(0) if item["kind"] == "ResourceQuota" else dict(item) for item in objects]


def _size_mib(claim: Any) -> int:
    return _mib(claim["spec"]["resources"]["requests"]["storage"])


def _mib(amount: str) -> int:
    return int(amount.removesuffix("Mi"))


def _never_deleted(item: Any) -> dict[str, Any]:
    metadata = item["metadata"]
    return {**item, "metadata": {**metadata, "annotations": {**metadata.get("annotations", {}), **NEVER_DELETED}}}


def files_of(objects: Objects) -> dict[str, str]:
    """The files of an export by their names, the kustomization last."""
    files = {_name(item): _HEAD + to_yaml([dict(item)]) for item in objects}
    listing: dict[str, Any] = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization", "resources": list(files)}
    return {**files, KUSTOMIZATION: _HEAD + to_yaml([listing])}


def packed(objects: Objects, directory: str) -> bytes:
    """The files of an export below DIRECTORY as a tar.gz. The same objects are the same bytes."""
    into = io.BytesIO()
    with (
        gzip.GzipFile(filename="", mode="wb", fileobj=into, mtime=0) as zipped,
        tarfile.open(fileobj=zipped, mode="w") as archive,
    ):
        for name, text in sorted(files_of(objects).items()):
            content = text.encode()
            entry = tarfile.TarInfo(f"{directory}/{name}")
            entry.size, entry.mtime = len(content), _NO_TIME
            archive.addfile(entry, io.BytesIO(content))
    return into.getvalue()


def export(objects: Objects, directory: Path) -> list[str]:
    """Write OBJECTS to DIRECTORY, and remove what an earlier export wrote and this one does not. The names of the files that changed.

    The same objects change nothing. Raises CannotExport for a directory that has files of somebody else.
    """
    wanted = files_of(objects)
    directory.mkdir(parents=True, exist_ok=True)
    # Theirs may be in whatever encoding.
    present = {path.name: path.read_text(encoding="utf-8", errors="replace") for path in directory.glob("*.yaml") if path.is_file()}
    if foreign := sorted(name for name in present if not present[name].startswith(_HEAD)):
        raise CannotExport(f"{directory} has files that Clove did not write: {', '.join(foreign[:5])}")
    changed = [name for name, text in wanted.items() if present.get(name) != text]
    for name in changed:
        draft = directory / f".{name}.part"
        draft.write_text(wanted[name], encoding="utf-8")
        draft.replace(directory / name)
    gone = sorted(present.keys() - wanted.keys())
    for name in gone:
        (directory / name).unlink()
    return [*changed, *gone]


def commit(directory: Path, revision: Revision, *, push: bool = False) -> str:
    """Commit what `export` changed in DIRECTORY, which lies in a git repository, and push it; the commit's id, empty when nothing changed.

    Only DIRECTORY is committed. Raises CannotExport with git's own words.
    """
    _git(directory, "add", "--all", "--", ".")
    has_changed = bool(_git(directory, "status", "--porcelain", "--", "."))
    if has_changed:
        title = f"{revision.system.namespace}: Revision {revision.number}"
        _git(directory, "commit", "--quiet", "--message", title, "--", ".")
    if push:  # also what an earlier export could not push
        _git(directory, "push", "--quiet")
    return _git(directory, "rev-parse", "HEAD") if has_changed else ""


def _name(item: Any) -> str:
    return f"{item['kind'].lower()}-{item['metadata']['name']}.yaml"


def _git(directory: Path, *arguments: str) -> str:
    command: Sequence[str] = ("git", "-C", str(directory), *arguments)
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)  # noqa: S603
    except FileNotFoundError:
        raise CannotExport("git is not installed here; docs/gitops.md says how to commit an export without it") from None
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CannotExport(f"git {arguments[0]}: {error}") from None
    if done.returncode:
        raise CannotExport(f"git {arguments[0]}: {(done.stderr or done.stdout).strip()[:500]}")
    return done.stdout.strip()
