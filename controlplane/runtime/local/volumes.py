"""Volumes without mount namespaces: each replica has a root directory in which its mounts are links (the service puts CLOVE_ROOT before
every absolute path). Claims are directories that stay as long as the system does; entries of ConfigMaps and Secrets become files."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from controlplane.runtime.fingerprint import canonical
from controlplane.runtime.local.claims import Claims
from controlplane.runtime.local.layout import SystemFiles, make_dir, write_atomic
from controlplane.runtime.local.podspec import ContainerSpec, Mount, PodSpec, Source, Volume
from controlplane.runtime.port import Secrets

_CURRENT = "current"


def make_root(files: SystemFiles, claims: Claims, pod_dir: Path, spec: PodSpec, container: ContainerSpec) -> Path:
    """The root directory of CONTAINER, made if need be; `project` must have written the files of its projected volumes.

    Raises DataGone for a claim whose volume is not there any more.
    """
    root = pod_dir / "roots" / container.name
    make_dir(root)
    for mount in sorted(container.mounts, key=lambda mount: mount.path):
        target = _source_path(files, claims, pod_dir, spec.volumes[mount.volume], mount)
        link = root / mount.path.relative_to("/")
        make_dir(link.parent)
        with contextlib.suppress(FileExistsError):  # made before: the root outlives a restart of its container
            link.symlink_to(target)
    return root


def project(files: SystemFiles, specs: Iterable[PodSpec], config_maps: Mapping[str, Mapping[str, str]], secrets: Secrets) -> None:
    """Write what the projected volumes of SPECS hold, each swapped in as a whole, and remove those that no pod of SPECS has.

    As in Kubernetes a running replica sees new values in its files, not in its environment.
    """
    volumes = {_directory(files, volume): volume for spec in specs for volume in spec.volumes.values() if volume.kind == "projected"}
    for path, volume in volumes.items():
        # What is gone is gone for new replicas, which are refused; those that run keep the files they have until they end.
        if all(source.optional or source.name in _store(source, config_maps, secrets) for source in volume.sources):
            _swap_in(path, _content(volume, config_maps, secrets))
    for path in files.projected.iterdir() if files.projected.is_dir() else ():
        if path not in volumes:
            shutil.rmtree(path, ignore_errors=True)


def _source_path(files: SystemFiles, claims: Claims, pod_dir: Path, volume: Volume, mount: Mount) -> Path:
    if volume.kind == "projected":
        path = _directory(files, volume) / _CURRENT
        return path / mount.sub_path if mount.sub_path else path
    path = claims.directory(volume.claim) if volume.kind == "persistentVolumeClaim" else pod_dir / "empty" / volume.name
    path = path / mount.sub_path if mount.sub_path else path
    make_dir(path)
    return path


def _directory(files: SystemFiles, volume: Volume) -> Path:
    """Volumes of the same sources share one directory, whatever they are called."""
    sources = [[source.kind, source.name, source.items] for source in volume.sources]
    return files.projected / hashlib.sha256(canonical(sources)).hexdigest()[:16]


def _content(volume: Volume, config_maps: Mapping[str, Mapping[str, str]], secrets: Secrets) -> dict[str, str]:
    content: dict[str, str] = {}
    for source in volume.sources:
        content |= _files(source, _store(source, config_maps, secrets).get(source.name, {}))
    return content


def _store(source: Source, config_maps: Mapping[str, Mapping[str, str]], secrets: Secrets) -> Mapping[str, Mapping[str, str]]:
    return secrets if source.kind == "Secret" else config_maps


def _files(source: Source, entries: Mapping[str, str]) -> dict[str, str]:
    if source.items:
        return {path: entries[entry] for entry, path in source.items if entry in entries}
    return dict(entries)


def _is_whole(directory: Path, content: Mapping[str, str]) -> bool:
    """Whether its files hold what they should: a power cut may have left their names alone."""
    try:
        return all((directory / name).read_bytes() == text.encode() for name, text in content.items())
    except OSError:
        return False


def _swap_in(path: Path, content: Mapping[str, str]) -> None:
    version = hashlib.sha256(canonical(content)).hexdigest()[:16]
    current = path / _CURRENT
    if current.is_symlink() and os.readlink(current) == version and _is_whole(path / version, content):
        return
    make_dir(path)
    shutil.rmtree(path / version, ignore_errors=True)  # a half-written one
    for name, text in content.items():
        file = path / version / name
        make_dir(file.parent)
        write_atomic(file, text.encode())
    make_dir(path / version)
    fresh = path / f".{_CURRENT}"
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(version)
    os.replace(fresh, current)
    for other in path.iterdir():
        if other.name not in (version, _CURRENT):
            shutil.rmtree(other, ignore_errors=True)
