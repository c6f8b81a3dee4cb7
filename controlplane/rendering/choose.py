"""Chooses the images that a requirement needs from the container pool. The services are whatever the pool's labels say; none is known here.

A service is wanted when one of its images says so (`needed-when` holds for the requirement's facts, or is empty), or when a chosen
image requires it. Of a wanted service's enabled images those fit whose capabilities agree with the facts; a capability that the
requirement has no word for is no hindrance. Of those that fit, the newest version wins, then the one that answers more of the facts,
then the name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from controlplane.lib.reasons import Reason
from controlplane.rendering.images import PoolImage

PAGES_PATH = "/"


@dataclass(frozen=True)
class Choice:
    image: PoolImage
    why: tuple[Reason, ...]


@dataclass(frozen=True)
class Miss:
    image: PoolImage
    why_not: tuple[Reason, ...]


@dataclass(frozen=True)
class Chosen:
    """By service name, in alphabetical order; and what was passed over."""

    choices: tuple[Choice, ...]
    misses: tuple[Miss, ...]

    @property
    def images(self) -> tuple[PoolImage, ...]:
        return tuple(choice.image for choice in self.choices)


class NoImageFits(Exception):
    """The pool has no image for `service`; `reason` says what is missing, `misses` why each candidate was passed over."""

    def __init__(self, service: str, reason: Reason, misses: Sequence[Miss] = ()) -> None:
        super().__init__(reason.message)
        self.service = service
        self.reason = reason
        self.misses = tuple(misses)


def choose(pool: Iterable[PoolImage], facts: Mapping[str, str]) -> Chosen:
    """One image for each service that a requirement with FACTS needs. Raises NoImageFits."""
    by_service: dict[str, list[PoolImage]] = {}
    for image in sorted(pool, key=lambda image: (image.service, image.name, image.ref)):
        by_service.setdefault(image.service, []).append(image)

    wanted = [service for service, images in by_service.items() if any(_is_needed(image, facts) for image in images)]
    choices: dict[str, Choice] = {}
    misses: list[Miss] = []
    while wanted:
        service = wanted.pop()
        if service in choices:
            continue
        choices[service], passed_over = _choose_one(service, by_service.get(service, []), facts)
        misses += passed_over
        wanted += choices[service].image.requires
    if not any(choice.image.path == PAGES_PATH for choice in choices.values()):
        raise NoImageFits("", Reason("no_pages"))
    misses += [
        Miss(image, (Reason("not_needed", {"service": service}),))
        for service, images in by_service.items()
        if service not in choices
        for image in images
    ]
    return Chosen(
        choices=tuple(choices[service] for service in sorted(choices)),
        misses=tuple(sorted(misses, key=lambda miss: (miss.image.service, miss.image.name, miss.image.ref))),
    )


def _is_needed(image: PoolImage, facts: Mapping[str, str]) -> bool:
    return all(facts.get(key) == value for key, value in image.needed_when.items())


def _lacks(image: PoolImage, facts: Mapping[str, str]) -> list[Reason]:
    return [
        Reason("lacks_capability", {"capability": key, "value": value, "wanted": facts[key]})
        for key, value in sorted(image.capabilities.items())
        if key in facts and facts[key] != value
    ]


def _choose_one(service: str, images: Sequence[PoolImage], facts: Mapping[str, str]) -> tuple[Choice, list[Miss]]:
    if not images:
        raise NoImageFits(service, Reason("no_image", {"service": service}))
    fitting: list[PoolImage] = []
    misses: list[Miss] = []
    for image in images:
        why_not = _lacks(image, facts)
        if not image.is_enabled:
            why_not.append(Reason("image_disabled"))
        if why_not:
            misses.append(Miss(image, tuple(why_not)))
        else:
            fitting.append(image)
    if not fitting:
        raise NoImageFits(service, Reason("no_image_fits", {"service": service, "missing": _missing(images, facts)}), misses)
    best = max(fitting, key=lambda image: _rank(image, facts))
    for image in fitting:
        if image is not best:
            code = "older_version" if image.version_key < best.version_key else "other_preferred"
            misses.append(Miss(image, (Reason(code, {"other": best.ref}),)))
    return Choice(best, tuple(_why(best, images, fitting, facts))), misses


def _rank(image: PoolImage, facts: Mapping[str, str]) -> tuple[object, ...]:
    # The name last, so that the choice never depends on the pool's order.
    return image.version_key, sum(key in facts for key in image.capabilities), image.name, image.ref


def _missing(images: Sequence[PoolImage], facts: Mapping[str, str]) -> str:
    """The least that is missing: what the nearest candidate lacks, in the words of its labels."""
    candidates = [image for image in images if image.is_enabled] or list(images)
    nearest = min(candidates, key=lambda image: (len(_lacks(image, facts)), image.name))
    lacking = [f"{reason.params['capability']}={reason.params['wanted']}" for reason in _lacks(nearest, facts)]
    return ", ".join(lacking) or "every image that would is switched off"


def _why(best: PoolImage, images: Sequence[PoolImage], fitting: Sequence[PoolImage], facts: Mapping[str, str]) -> list[Reason]:
    why = [
        Reason("chosen_capability", {"capability": key, "value": value}) for key, value in sorted(best.capabilities.items()) if key in facts
    ]
    if any(image.version_key < best.version_key for image in fitting):
        why.append(Reason("chosen_version", {"version": best.version}))
    return why or [Reason("chosen_only", {"service": best.service})]
