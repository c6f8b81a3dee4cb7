"""The bundled service images, as pure data: no Django, no network, importable by both halves.

`docker/` bakes exactly this into images (env, command, labels), the local runtime resolves a manifest's `image:` through it, and
registering an image in the container pool reads the same labels. Nothing else in Clove lists the services.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

VERSION = "1.0.0"
REPOSITORY = "clove"
PORT = 8000
LABEL_PREFIX = "dev.clove."

SERVE = ("python", "-m", "booking_templates", "serve")
THREADS = "8"
"""Of a service that is not told otherwise (kit/env.py)."""
PAYING_THREADS = "32"
"""Of a service that pays: most of a request it waits for the provider, the seats or the disk."""


@dataclass(frozen=True)
class Probe:
    """An HTTP probe of a container; times in seconds, as in Kubernetes."""

    path: str
    period_s: int
    timeout_s: int
    failure_threshold: int

    @property
    def label(self) -> str:
        return f"{self.path} period={self.period_s} timeout={self.timeout_s} failures={self.failure_threshold}"


LIVENESS = Probe("/healthz", period_s=10, timeout_s=2, failure_threshold=3)
READINESS = Probe("/readyz", period_s=2, timeout_s=2, failure_threshold=3)
STARTUP = Probe("/healthz", period_s=1, timeout_s=2, failure_threshold=60)


@dataclass(frozen=True)
class Resources:
    """Requests and limits of one container: CPU in millicores, memory and scratch disk in MiB."""

    cpu_request_m: int = 50
    cpu_limit_m: int = 1000
    memory_request_mib: int = 96
    memory_limit_mib: int = 256
    scratch_mib: int = 128

    @property
    def label(self) -> str:
        cpu, memory = f"{self.cpu_request_m}/{self.cpu_limit_m}", f"{self.memory_request_mib}/{self.memory_limit_mib}"
        return f"cpu={cpu} memory={memory} scratch={self.scratch_mib}"


@dataclass(frozen=True)
class Image:
    """One image of the pool.

    `capabilities` says what the image can do; a requirement is matched against them (`{"numbered": "yes"}`). `env` is baked into
    the image: two images of one service differ by it alone. The rest is what a plan needs to know; the control plane reads it from the
    labels alone (controlplane/rendering/images.py has the table).
    """

    name: str
    service: str
    capabilities: Mapping[str, str]
    env: Mapping[str, str]
    stateful: bool = True
    port: int = PORT
    command: tuple[str, ...] = SERVE
    liveness: Probe = LIVENESS
    readiness: Probe = READINESS
    startup: Probe = STARTUP
    resources: Resources = field(default_factory=Resources)
    path: str = ""
    """The public paths it answers; empty: /api/<service>."""
    needed_when: Mapping[str, str] = field(default_factory=dict)
    """Facts of a requirement that must hold for the service to be wanted; empty: always."""
    requires: tuple[str, ...] = ()
    """Services that must be in the system too."""
    calls: tuple[str, ...] = ()
    """Services it calls when they are in the system: it gets their address, and the network lets it through."""
    calls_outside: bool = False
    secrets: Mapping[str, str] = field(default_factory=dict)
    """Its secret files: name -> kind (random, service-key, token-key, signing-key, other-keys, sign-in, or a secret of the platform's
    settings)."""
    config: tuple[str, ...] = ()
    """Parts of the system's configuration it is given, beyond what every service gets."""
    storage_mib: int = 1024
    """Size of its volume, when it is stateful and its database is a file."""

    @property
    def ref(self) -> str:
        """Repository and tag, e.g. `clove/be-auth:1.0.0`."""
        return f"{REPOSITORY}/{self.name}:{VERSION}"

    @property
    def labels(self) -> dict[str, str]:
        """The image's OCI labels: what the pool reads when an image is registered."""
        labels = {
            LABEL_PREFIX + "service": self.service,
            LABEL_PREFIX + "version": VERSION,
            LABEL_PREFIX + "port": str(self.port),
            LABEL_PREFIX + "stateful": "yes" if self.stateful else "no",
            LABEL_PREFIX + "path": self.path or f"/api/{self.service}",
            LABEL_PREFIX + "needed-when": _pairs(self.needed_when),
            LABEL_PREFIX + "requires": " ".join(self.requires),
            LABEL_PREFIX + "calls": " ".join(self.calls),
            LABEL_PREFIX + "calls-outside": "yes" if self.calls_outside else "no",
            LABEL_PREFIX + "secrets": _pairs(self.secrets),
            LABEL_PREFIX + "config": " ".join(self.config),
            LABEL_PREFIX + "storage-mib": str(self.storage_mib),
            LABEL_PREFIX + "connections": str(int(self.env.get("CLOVE_THREADS", THREADS)) + 1),
            LABEL_PREFIX + "resources": self.resources.label,
            LABEL_PREFIX + "probe.liveness": self.liveness.label,
            LABEL_PREFIX + "probe.readiness": self.readiness.label,
            LABEL_PREFIX + "probe.startup": self.startup.label,
        }
        labels |= {f"{LABEL_PREFIX}capability.{key}": value for key, value in self.capabilities.items()}
        return labels


def _pairs(pairs: Mapping[str, str]) -> str:
    return " ".join(f"{key}={value}" for key, value in pairs.items())


def _image(
    name: str,
    service: str,
    *,
    capabilities: dict[str, str] | None = None,
    env: dict[str, str] | None = None,
    secrets: dict[str, str] | None = None,
    stateful: bool = True,
    path: str = "",
    needed_when: dict[str, str] | None = None,
    requires: tuple[str, ...] = (),
    calls: tuple[str, ...] = (),
    calls_outside: bool = False,
    config: tuple[str, ...] = (),
) -> Image:
    return Image(
        name=name,
        service=service,
        capabilities=MappingProxyType(capabilities or {}),
        env=MappingProxyType({"CLOVE_SERVICE": service, **(env or {})}),
        stateful=stateful,
        path=path,
        needed_when=MappingProxyType(needed_when or {}),
        requires=requires,
        calls=calls,
        calls_outside=calls_outside,
        secrets=MappingProxyType({"django-secret": "random", "service-key.json": "service-key", **(secrets or {})}),
        config=config,
    )


def _seat(numbered: str, pin: str) -> Image:
    return _image(
        f"be-seat-{numbered}-number-{pin}-kakao",
        "seat",
        capabilities={"numbered": numbered, "kakaopay": pin},
        env={"SEAT_NUMBERED": numbered, "SEAT_PIN": pin},
        config=("proxies",),
    )


def _ticket(provider: str) -> Image:
    keys = {"ticket-key.json": "signing-key", "ticket-key-others.json": "other-keys"}
    return _paid("ticket", provider, secrets=keys, requires=("auth", "seat"), calls=("auth", "event", "merch", "seat"))


def _merch(provider: str) -> Image:
    return _paid("merch", provider, needed_when={"merchandise": "yes"}, requires=("auth",), calls=("auth", "event", "ticket"))


def _paid(
    service: str,
    provider: str,
    *,
    secrets: dict[str, str] | None = None,
    needed_when: dict[str, str] | None = None,
    requires: tuple[str, ...] = (),
    calls: tuple[str, ...] = (),
) -> Image:
    pays = provider == "kakaopay"
    return _image(
        f"be-{service}-{'kakao' if pays else 'no-kakao'}",
        service,
        capabilities={"kakaopay": "yes" if pays else "no"},
        env={"PAYMENT_PROVIDER": provider, "CLOVE_THREADS": PAYING_THREADS},
        secrets={**(secrets or {}), **({"kakaopay-secret-key": "kakaopay"} if pays else {})},
        needed_when=needed_when,
        requires=requires,
        calls=calls,
        calls_outside=pays,
        config=("kakaopay",) if pays else (),
    )


IMAGES: tuple[Image, ...] = (
    _image(
        "be-auth",
        "auth",
        secrets={"token-key.json": "token-key", "mail-url": "mail", "oidc-client-secret": "sign-in"},
        calls=("merch", "seat", "ticket"),
        config=("mail", "proxies", "sign-in"),
    ),
    _image("be-event", "event"),
    *(_seat(numbered, pin) for numbered in ("yes", "no") for pin in ("yes", "no")),
    _ticket("kakaopay"),
    _ticket("none"),
    _merch("kakaopay"),
    _merch("none"),
    _image("fe-ticket", "web", stateful=False, path="/", requires=("auth", "event", "seat", "ticket"), calls=("event", "merch", "seat")),
)

_BY_NAME = {image.name: image for image in IMAGES}


def by_ref(ref: str) -> Image | None:
    """The bundled image that REF means, or None: registry host, tag and digest are ignored, the last path part is the name."""
    path = ref.split("@", 1)[0].rsplit("/", 1)[-1]
    return _BY_NAME.get(path.split(":", 1)[0])
