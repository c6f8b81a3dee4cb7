"""A revision as plain YAML in a directory, for Argo CD, Flux or `kubectl apply -k`: a file an object, and a kustomization that names them.

Secrets are not among them, for a revision holds none: docs/gitops.md says where they come from.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from controlplane.rendering.render import to_yaml
from controlplane.runtime.port import Objects
from controlplane.systems.models import Revision

KUSTOMIZATION = "kustomization.yaml"
_HEAD = "# Written by Clove. What is changed here by hand is overwritten with the next revision.\n"


class CannotExport(Exception):
    """The directory holds what Clove did not write, or git refuses; the message says which."""


def export(objects: Objects, directory: Path) -> list[str]:
    """Write OBJECTS to DIRECTORY, and remove what an earlier export wrote and this one does not. The names of the files that changed.

    The same objects change nothing. Raises CannotExport for a directory that has a kustomization of somebody else.
    """
    wanted = {_name(item): _HEAD + to_yaml([dict(item)]) for item in objects}
    files = sorted(wanted, key=list(wanted).index)
    listing: dict[str, Any] = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization", "resources": files}
    wanted[KUSTOMIZATION] = _HEAD + to_yaml([listing])
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
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CannotExport(f"git {arguments[0]}: {error}") from None
    if done.returncode:
        raise CannotExport(f"git {arguments[0]}: {(done.stderr or done.stdout).strip()[:500]}")
    return done.stdout.strip()
