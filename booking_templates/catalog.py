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


@dataclass(frozen=True)
class Probe:
    """An HTTP probe of a container; times in seconds, as in Kubernetes."""

    path: str
    period_s: int
    timeout_s: int
    failure_threshold: int


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


@dataclass(frozen=True)
class Image:
    """One image of the pool.

    `capabilities` says what the image can do; a requirement is matched against them (`{"numbered": "yes"}`). `env` is baked into
    the image: two images of one service differ by it alone.
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
            LABEL_PREFIX + "probe.liveness": self.liveness.path,
            LABEL_PREFIX + "probe.readiness": self.readiness.path,
        }
        labels |= {f"{LABEL_PREFIX}capability.{key}": value for key, value in self.capabilities.items()}
        return labels


def _image(
    name: str, service: str, *, capabilities: dict[str, str] | None = None, env: dict[str, str] | None = None, stateful: bool = True
) -> Image:
    return Image(
        name=name,
        service=service,
        capabilities=MappingProxyType(capabilities or {}),
        env=MappingProxyType({"CLOVE_SERVICE": service, **(env or {})}),
        stateful=stateful,
    )


def _seat(numbered: str, pin: str) -> Image:
    return _image(
        f"be-seat-{numbered}-number-{pin}-kakao",
        "seat",
        capabilities={"numbered": numbered, "kakaopay": pin},
        env={"SEAT_NUMBERED": numbered, "SEAT_PIN": pin},
    )


def _paid(service: str, provider: str) -> Image:
    pays = provider == "kakaopay"
    return _image(
        f"be-{service}-{'kakao' if pays else 'no-kakao'}",
        service,
        capabilities={"kakaopay": "yes" if pays else "no"},
        env={"PAYMENT_PROVIDER": provider},
    )


IMAGES: tuple[Image, ...] = (
    _image("be-auth", "auth"),
    _image("be-event", "event"),
    *(_seat(numbered, pin) for numbered in ("yes", "no") for pin in ("yes", "no")),
    _paid("ticket", "kakaopay"),
    _paid("ticket", "none"),
    _paid("merch", "kakaopay"),
    _paid("merch", "none"),
    _image("fe-ticket", "web", stateful=False),
)

_BY_NAME = {image.name: image for image in IMAGES}


def by_name(name: str) -> Image | None:
    """The bundled image called NAME, or None."""
    return _BY_NAME.get(name)


def by_ref(ref: str) -> Image | None:
    """The bundled image that REF means, or None: registry host, tag and digest are ignored, the last path part is the name."""
    path = ref.split("@", 1)[0].rsplit("/", 1)[-1]
    return _BY_NAME.get(path.split(":", 1)[0])
