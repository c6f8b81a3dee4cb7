"""An image of the container pool as its labels describe it: what it is, what it can do, what it needs. Pure.

| label `dev.clove.…` | meaning | example |
|---|---|---|
| service, version, port | | seat, 1.0.0, 8000 |
| path | the public paths it answers | /api/seat; / for the pages |
| capability.<name> | what it can do; matched against the requirement's facts | numbered: yes |
| needed-when | facts that must hold for the service to be wanted; empty: always | merchandise=yes |
| requires | services that must be there too | seat auth |
| calls | services it calls, if they are there | ticket merch |
| calls-outside | needs the world outside the cluster | yes |
| secrets | its secret files, `name=kind` (systems/secrets.py makes each kind) | django-secret=random |
| config | keys of the system's configuration it is given | kakaopay |
| stateful, storage-mib | has a database of its own; the size of its volume | yes, 1024 |
| connections | to that database, of one replica at most: its threads, and its passes | 33 |
| resources | requests and limits: millicores and MiB | cpu=50/1000 memory=96/256 scratch=128 |
| probe.liveness, .readiness, .startup | path, and seconds | /readyz period=2 timeout=2 failures=3 |
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import controlplane.rendering.messages  # noqa: F401  (declares the words)
from controlplane.lib.reasons import Reason

PREFIX = "dev.clove."
DEFAULT_CONNECTIONS = 33
"""The 32 threads of a bundled service that pays, and its passes: none has more."""
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
_PATH = re.compile(r"/[A-Za-z0-9/_.-]*")


class BadLabels(Exception):
    """An image's labels cannot be understood; `reason` names the label."""

    def __init__(self, label: str, value: str) -> None:
        self.reason = Reason("bad_labels", {"label": PREFIX + label, "value": value[:100]})
        super().__init__(self.reason.message)


@dataclass(frozen=True)
class ProbePlan:
    path: str
    period_s: int
    timeout_s: int
    failure_threshold: int


@dataclass(frozen=True)
class ResourcesPlan:
    """Requests and limits of one container: millicores and MiB."""

    cpu_request_m: int
    cpu_limit_m: int
    memory_request_mib: int
    memory_limit_mib: int
    scratch_mib: int


@dataclass(frozen=True)
class PoolImage:
    """See the table above."""

    name: str
    service: str
    version: str
    ref: str
    digest: str
    port: int
    path: str
    capabilities: Mapping[str, str]
    needed_when: Mapping[str, str]
    requires: tuple[str, ...]
    calls: tuple[str, ...]
    calls_outside: bool
    secrets: Mapping[str, str]
    config: tuple[str, ...]
    is_stateful: bool
    storage_mib: int
    connections: int
    resources: ResourcesPlan
    liveness: ProbePlan
    readiness: ProbePlan
    startup: ProbePlan
    is_enabled: bool = True

    @property
    def pinned_ref(self) -> str:
        """The reference a manifest names: by digest where one is known."""
        return f"{self.ref}@{self.digest}" if self.digest else self.ref

    @property
    def version_key(self) -> tuple[tuple[int, int, str], ...]:
        """Orders versions as people do: 1.10 after 1.9."""
        return tuple((1, int(part), "") if part.isdecimal() else (0, 0, part) for part in re.split(r"[.+-]", self.version))


def from_labels(*, ref: str, labels: Mapping[str, str], digest: str = "", is_enabled: bool = True, name: str = "") -> PoolImage:
    """Read LABELS. Raises BadLabels."""
    read = _Labels(labels)
    name = name or ref.split("@", 1)[0].rsplit("/", 1)[-1].split(":", 1)[0]
    service = read.text("service", _NAME)
    liveness = read.probe("probe.liveness", default="/healthz period=10 timeout=2 failures=3")
    resources = read.pairs("resources", default="cpu=50/1000 memory=96/256 scratch=128")
    try:
        cpu, memory = ([int(part) for part in resources[key].split("/")] for key in ("cpu", "memory"))
        sizes = ResourcesPlan(cpu[0], cpu[1], memory[0], memory[1], int(resources["scratch"]))
    except (KeyError, ValueError, IndexError):
        raise BadLabels("resources", labels.get(PREFIX + "resources", "")) from None
    if not (
        0 < sizes.cpu_request_m <= sizes.cpu_limit_m and 0 < sizes.memory_request_mib <= sizes.memory_limit_mib and sizes.scratch_mib > 0
    ):
        raise BadLabels("resources", labels.get(PREFIX + "resources", ""))
    return PoolImage(
        name=name,
        service=service,
        version=read.text("version", re.compile(r"[A-Za-z0-9._+-]{1,40}")),
        ref=ref,
        digest=digest,
        port=read.number("port", default=8000, high=65_535),
        path=read.text("path", _PATH, default=f"/api/{service}"),
        capabilities=read.with_prefix("capability."),
        needed_when=read.pairs("needed-when"),
        requires=read.names("requires"),
        calls=read.names("calls"),
        calls_outside=read.flag("calls-outside"),
        secrets=read.pairs("secrets"),
        config=read.names("config"),
        is_stateful=read.flag("stateful", default="yes"),
        storage_mib=read.number("storage-mib", default=1024, high=10_000_000),
        connections=read.number("connections", default=DEFAULT_CONNECTIONS, high=200),
        resources=sizes,
        liveness=liveness,
        readiness=read.probe("probe.readiness", default="/readyz period=2 timeout=2 failures=3"),
        startup=read.probe("probe.startup", default=f"{liveness.path} period=1 timeout=2 failures=60"),
        is_enabled=is_enabled,
    )


@dataclass
class _Labels:
    labels: Mapping[str, str] = field(default_factory=dict)

    def value(self, key: str, default: str) -> str:
        value = self.labels.get(PREFIX + key, default)
        if not isinstance(value, str) or len(value) > 1_000:
            raise BadLabels(key, str(value))
        return value.strip()

    def text(self, key: str, pattern: re.Pattern[str], default: str = "") -> str:
        value = self.value(key, default)
        if not pattern.fullmatch(value):
            raise BadLabels(key, value)
        return value

    def number(self, key: str, *, default: int, high: int) -> int:
        value = self.value(key, str(default))
        if not (value.isascii() and value.isdecimal()) or len(value) > 9 or not 0 < int(value) <= high:
            raise BadLabels(key, value)
        return int(value)

    def flag(self, key: str, default: str = "no") -> bool:
        value = self.value(key, default)
        if value not in ("yes", "no"):
            raise BadLabels(key, value)
        return value == "yes"

    def names(self, key: str) -> tuple[str, ...]:
        names = tuple(self.value(key, "").split())
        if any(not _NAME.fullmatch(name) for name in names):
            raise BadLabels(key, " ".join(names))
        return names

    def pairs(self, key: str, default: str = "") -> dict[str, str]:
        words = self.value(key, default).split()
        pairs = dict(word.split("=", 1) for word in words if "=" in word)
        if len(pairs) != len(words) or not all((*pairs, *pairs.values())):
            raise BadLabels(key, " ".join(words))
        return pairs

    def with_prefix(self, prefix: str) -> dict[str, str]:
        start = PREFIX + prefix
        return {key[len(start) :]: value for key, value in sorted(self.labels.items()) if key.startswith(start)}

    def probe(self, key: str, *, default: str) -> ProbePlan:
        path, *rest = self.value(key, default).split() or [""]
        seconds = dict(part.split("=", 1) for part in default.split()[1:])
        seconds |= dict(part.split("=", 1) for part in rest if "=" in part)
        try:
            probe = ProbePlan(path, int(seconds["period"]), int(seconds["timeout"]), int(seconds["failures"]))
        except ValueError:
            raise BadLabels(key, self.value(key, default)) from None
        if not _PATH.fullmatch(path) or min(probe.period_s, probe.timeout_s, probe.failure_threshold) < 1:
            raise BadLabels(key, self.value(key, default))
        return probe
