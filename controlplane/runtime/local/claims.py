"""Which directory is the volume of a claim: a mark in it says so, and the system's own files remember the mark.

A directory that is gone, or another in its place, is told apart by that, and no replica starts on an empty one in its stead. So is one
whose database files were removed: those that were seen in it once must be there. With its marks it can be copied elsewhere and back.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from controlplane.runtime.errors import DataGone
from controlplane.runtime.local.layout import SystemFiles, make_dir, read_json, signature, write_atomic, write_json

MARK = ".clove-volume"
DATABASES = "*.sqlite3"
log = logging.getLogger(__name__)


class Claims:
    """The claims of one system, as its supervisor sees them. Marks are read again only when their files were written."""

    def __init__(self, files: SystemFiles) -> None:
        self._files = files
        self._marks: dict[str, tuple[object, str]] = {}

    def make(self, claims: Iterable[str]) -> None:
        """Make volumes for those of CLAIMS that never had one; a directory of an earlier release is given its mark. Raises OSError."""
        known = remembered(self._files)
        for claim in claims:
            if claim not in known:
                path = self._files.volumes / claim
                make_dir(path)
                self._remember(known, claim, {"id": self._mark_of(claim) or _marked(path), "files": []})

    def directory(self, claim: str) -> Path:
        """Where CLAIM is kept, made when it never was before. Raises DataGone when it was, and is not as it was; and OSError."""
        self.make([claim])
        if not self._is_whole(claim, remembered(self._files)[claim]):
            name = f"PersistentVolumeClaim {claim}"
            raise DataGone(f"{name} is gone: no replica starts on an empty one.", object_name=name)
        return self._files.volumes / claim

    def standing(self, claims: Iterable[str]) -> dict[str, str]:
        """Claim -> the mark of its volume, of those of CLAIMS that are whole. Raises OSError."""
        known, found = remembered(self._files), {}
        for claim in claims:
            if claim in known and self._is_whole(claim, known[claim]):
                found[claim] = known[claim]["id"]
                databases = {file.name for file in (self._files.volumes / claim).glob(DATABASES)}
                if new := sorted(databases - set(known[claim]["files"])):
                    self._remember(known, claim, known[claim] | {"files": known[claim]["files"] + new})
        return found

    def _is_whole(self, claim: str, entry: dict[str, Any]) -> bool:
        path = self._files.volumes / claim
        return self._mark_of(claim) == entry["id"] and all((path / name).is_file() for name in entry["files"])

    def _mark_of(self, claim: str) -> str:
        path = self._files.volumes / claim / MARK
        seen = signature(path)
        if seen is None:
            return ""
        if self._marks.get(claim, (None, ""))[0] != seen:
            self._marks[claim] = (seen, path.read_text(encoding="ascii", errors="replace").strip())
        return self._marks[claim][1]

    def _remember(self, known: dict[str, Any], claim: str, entry: dict[str, Any]) -> None:
        known[claim] = entry
        write_json(self._files.claims, known, durable=True)


def remembered(files: SystemFiles) -> dict[str, Any]:
    """Claim -> what is known of its volume."""
    try:
        known: dict[str, Any] = read_json(files.claims) or {}
    except ValueError:  # damaged: the marks themselves are still there
        log.exception("%s is damaged", files.claims)
        return {}
    return known


def forget_gone(files: SystemFiles, claims: Iterable[str]) -> None:
    """Let those of CLAIMS be made anew whose volumes are gone; what lies in their place by now is theirs from then on."""
    known = remembered(files)
    whole = Claims(files).standing(known)
    if gone := [claim for claim in claims if claim in known and claim not in whole]:
        write_json(files.claims, {claim: entry for claim, entry in known.items() if claim not in gone}, durable=True)


def _marked(path: Path) -> str:
    """The mark that PATH has from now on."""
    mark = secrets.token_hex(16)
    write_atomic(path / MARK, f"{mark}\n".encode(), durable=True)
    return mark
