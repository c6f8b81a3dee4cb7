"""Where the local runtime keeps what, and how files are written there: the files are the truth, both sides read and write them here.

HOME/
  supervisor.lock  supervisor.json  supervisor.sock   held, written and served by the one supervisor
  priority                                            namespaces, one a line, started first; written by people or by `clove up`
  writers.lock                                        taken by adapters while they write
  .hosts/<hostname>                                   which namespace has the name
  <namespace>/
    desired.json  secrets.json  delete                what is wanted; written by adapters (`delete`: that all of it goes)
    hosts.json                                        ready replicas by service, for the replicas (CLOVE_HOSTS_FILE)
    pods/<id>/pod.json                                what runs, so that a restarted supervisor finds it again
    claims.json                                       which volume each claim has had since it was made
    volumes/<claim>/  projected/  logs/<service>/<pod>.log
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from controlplane.runtime.errors import Rejected

NAMESPACE = re.compile(r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?")
_PRIVATE = 0o700
_LONGEST_SOCKET_PATH = 100
"""Bytes; macOS allows 103 and Linux 107."""


class SystemFiles:
    """The paths of one booking system."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.desired = path / "desired.json"
        self.secrets = path / "secrets.json"
        self.deletion = path / "delete"
        self.hosts = path / "hosts.json"
        self.pods = path / "pods"
        self.claims = path / "claims.json"
        self.volumes = path / "volumes"
        self.projected = path / "projected"
        self.logs = path / "logs"

    def log(self, service: str, pod: str) -> Path:
        return self.logs / service / f"{pod}.log"


class Home:
    """The paths of one local runtime."""

    def __init__(self, root: Path | str) -> None:
        self.root = Path(root).absolute()
        self.lock = self.root / "supervisor.lock"
        self.card = self.root / "supervisor.json"
        self.priority = self.root / "priority"
        self.writers_lock = self.root / "writers.lock"
        self.hostnames = self.root / ".hosts"

    def create(self) -> None:
        """Make it, or make the one that is there private: secrets are kept in it. Raises OSError when it is another user's."""
        make_dir(self.root)
        if stat.S_IMODE(self.root.stat().st_mode) != _PRIVATE:
            self.root.chmod(_PRIVATE)
        make_dir(self.hostnames)

    def system(self, namespace: str) -> SystemFiles:
        """The files of NAMESPACE. Raises Rejected when it cannot be a namespace's name."""
        if not NAMESPACE.fullmatch(namespace) or namespace == self.priority.name:
            raise Rejected(f"{namespace!r} cannot be the name of a namespace.")
        return SystemFiles(self.root / namespace)

    def namespaces(self) -> list[str]:
        """The namespaces there are, in the order they were numbered."""
        try:
            names = [
                entry.name for entry in os.scandir(self.root) if NAMESPACE.fullmatch(entry.name) and entry.is_dir(follow_symlinks=False)
            ]
        except FileNotFoundError:
            return []
        return sorted(names, key=lambda name: (len(name), name))

    @property
    def socket(self) -> Path:
        """Of the supervisor: in HOME, or below /tmp when that path is too long for a socket. Not where TMPDIR says: it may say another
        place to another process.
        """
        path = self.root / "supervisor.sock"
        if len(os.fsencode(path)) <= _LONGEST_SOCKET_PATH:
            return path
        digest = hashlib.sha256(os.fsencode(self.root)).hexdigest()[:16]
        return Path("/tmp") / f"clove-{os.getuid()}-{digest}" / "supervisor.sock"  # noqa: S108 - private, and checked to be

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the adapters' lock: what two of them write about one system, or one host name, never mixes."""
        self.create()
        with self.writers_lock.open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def make_dir(path: Path) -> None:
    """Make PATH, private to this user, with its parents; an existing one is left as it is."""
    if not path.is_dir():
        make_dir(path.parent)
        path.mkdir(mode=_PRIVATE, exist_ok=True)


def check_private(path: Path) -> None:
    """Raises PermissionError when anybody else could have put what is in the directory PATH there."""
    status = path.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid() or status.st_mode & 0o022:
        raise PermissionError(errno.EPERM, "others may write there", str(path))


def write_atomic(path: Path, content: bytes, *, mode: int = 0o600, durable: bool = False) -> None:
    """Put CONTENT at PATH so that a reader sees the old or the new, whole. DURABLE survives a power cut too and costs two syncs."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        with open(descriptor, "wb") as file:
            file.write(content)
            if durable:
                file.flush()
                os.fsync(descriptor)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise
    if durable:
        sync_dir(path.parent)


def sync_dir(path: Path) -> None:
    """Make what was renamed or removed in PATH durable."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_json(path: Path, value: Any, *, durable: bool = False) -> None:
    write_atomic(path, json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(), durable=durable)


def read_json(path: Path) -> Any:
    """The JSON at PATH, or None when there is no such file. Raises ValueError when it is not JSON."""
    try:
        return json.loads(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return None


def signature(path: Path) -> tuple[int, int, int] | None:
    """What changes whenever PATH is replaced; None when it is not there."""
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size
