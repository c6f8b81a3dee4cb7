"""What a runtime says of a service, in the reader's language. Runtimes speak English; here their sentences are known by their shape.

What has no shape that is known stays as it is: the words of a container or of a cluster are often the best hint there is.
"""

from __future__ import annotations

import re
from typing import Any

from django.utils.translation import gettext, gettext_noop

from controlplane.systems.words import SERVICES

_LAST_LINES = ". Its last lines:\n"
_SHAPES: tuple[tuple[str, str], ...] = (
    (r"Not ready after (?P<seconds>\S+) s\.(?: (?P<rest>.+))?", gettext_noop("Not ready after %(seconds)s s. %(rest)s")),
    (r"(?P<rest>.+), (?P<times>\d+) times in a row", gettext_noop("%(rest)s, %(times)s times in a row")),
    (r"Container (?P<name>\S+) cannot be started: (?P<detail>.+)", gettext_noop("Container %(name)s cannot be started: %(detail)s")),
    (r"Container (?P<name>\S+) did not come up: (?P<rest>.+)", gettext_noop("Container %(name)s did not come up: %(rest)s")),
    (r"Container (?P<name>\S+) hung: (?P<rest>.+)", gettext_noop("Container %(name)s hung: %(rest)s")),
    (r"Container (?P<name>\S+) ended with exit code (?P<code>\S+)", gettext_noop("Container %(name)s ended with exit code %(code)s")),
    (r"Container (?P<name>\S+) was killed by (?P<signal>\S+)", gettext_noop("Container %(name)s was killed by %(signal)s")),
    (r"Container (?P<name>\S+) ended", gettext_noop("Container %(name)s ended")),
    (
        r"Container (?P<name>\S+) runs but does not answer its readiness probe",
        gettext_noop("Container %(name)s runs but does not answer whether it is ready"),
    ),
    (
        r"Container (?P<name>\S+) needed more memory than its limit and was ended",
        gettext_noop("Container %(name)s needed more memory than its limit and was ended"),
    ),
    (r"Container (?P<name>[^\s:]+): (?P<rest>.+)", gettext_noop("Container %(name)s: %(rest)s")),
    (r"A replica cannot be made: (?P<detail>.+)", gettext_noop("A replica cannot be made: %(detail)s")),
    (r"The image (?P<image>\S+) was not found", gettext_noop("The image %(image)s was not found")),
    (r"The image (?P<image>\S+) cannot be pulled: (?P<detail>.+)", gettext_noop("The image %(image)s cannot be pulled: %(detail)s")),
    (r"It fits on no node: (?P<detail>.+)", gettext_noop("It fits on no node: %(detail)s")),
    (
        r"The Gateway (?P<name>\S*) does not lead buyers here: (?P<detail>.+)",
        gettext_noop("The Gateway %(name)s does not lead buyers here: %(detail)s"),
    ),
    (
        r"The cluster does not accept Clove's credentials: they are wrong or have expired",
        gettext_noop("The cluster does not accept Clove's credentials: they are wrong or have expired"),
    ),
    (r"The cluster's API server does not answer: (?P<detail>.+)", gettext_noop("The cluster's API server does not answer: %(detail)s")),
    (r"Starting", gettext_noop("Starting")),
    (
        r"Its rollout is held: the copies stay as they are until it goes on",
        gettext_noop("Its rollout is held: the copies stay as they are until it goes on"),
    ),
    (
        r"It does not scale by itself, for nothing measures what it uses \((?P<reason>\w+)\): (?P<detail>.+)",
        gettext_noop("It does not scale by itself, for nothing measures what it uses (%(reason)s): %(detail)s"),
    ),
    (
        r"It does not scale by itself \((?P<reason>\w+)\): (?P<detail>.+)",
        gettext_noop("It does not scale by itself (%(reason)s): %(detail)s"),
    ),
    (r"Its volume has not been made yet", gettext_noop("Its volume has not been made yet")),
    (r"Its volume has not been made yet\. (?P<rest>.+)", gettext_noop("Its volume has not been made yet. %(rest)s")),
    (r"Its node (?P<node>\S+) does not report any more", gettext_noop("Its node %(node)s does not report any more")),
    (r"(?P<kind>[A-Z]\w+) (?P<name>\S+) is gone", gettext_noop("%(kind)s %(name)s is gone")),
    (r"(?P<kind>[A-Z]\w+) (?P<name>\S+) was replaced", gettext_noop("%(kind)s %(name)s was replaced")),
    (r"(?P<kind>[A-Z]\w+) (?P<name>\S+) was changed by (?P<who>\S+)", gettext_noop("%(kind)s %(name)s was changed by %(who)s")),
    (r"(?P<kind>[A-Z]\w+) (?P<name>\S+) belongs to (?P<who>.+)", gettext_noop("%(kind)s %(name)s belongs to %(who)s")),
    (r"(?P<name>[A-Z]\w+ [^\s:]+): (?P<fields>\..+) is managed by (?P<who>.+)", gettext_noop("%(name)s: %(fields)s is managed by %(who)s")),
    (r"Not Clove's: (?P<names>.+)", gettext_noop("Not Clove's: %(names)s")),
    (r"(?P<kind>[A-Z]\w+) (?P<name>\S+) is being deleted", gettext_noop("%(kind)s %(name)s is being deleted")),
    (r"The volume for the backups is full", gettext_noop("The volume for the backups is full")),
    (r"The backup that was written could not be read again", gettext_noop("The backup that was written could not be read again")),
    (r"The backup failed: (?P<detail>.+)", gettext_noop("The backup failed: %(detail)s")),
    (r"The node ended the pod", gettext_noop("The node ended the pod")),
    (r"it has no port to probe", gettext_noop("it has no port to probe")),
    (r"no answer on (?P<path>\S+) within (?P<seconds>\S+) s", gettext_noop("no answer on %(path)s within %(seconds)s s")),
    (r"(?P<path>/\S*) cannot be reached", gettext_noop("%(path)s cannot be reached")),
    (r"(?P<path>/\S*) answered (?P<status>\d+)", gettext_noop("%(path)s answered %(status)s")),
)
_KNOWN = tuple((re.compile(shape, re.DOTALL), template) for shape, template in _SHAPES)
_OF_SERVICE = re.compile(r"(?P<service>[a-z][a-z0-9-]{0,39}): (?P<rest>.+)", re.DOTALL)


def say_runtime(text: Any) -> str:
    """TEXT as a runtime wrote it, in the reader's language as far as its shape is known."""
    whole = str(text or "")
    if (of := _OF_SERVICE.fullmatch(whole)) and of["service"] in SERVICES:
        return f"{SERVICES[of['service']]}: {say_runtime(of['rest'])}"
    said, found, lines = whole.partition(_LAST_LINES)
    if found:
        return f"{_say(said)}. {gettext('Its last lines:')}\n{lines}"
    end = "." if said.endswith(".") else ""
    return _say(said.removesuffix(".")) + end


def say_drift(text: str) -> str:
    """What `Observation.drift` says, one sentence an object."""
    return " ".join(say_runtime(f"{each}.") for each in text.rstrip(".").split(". ")) if text else ""


def _say(text: str) -> str:
    for shape, template in _KNOWN:
        if found := shape.fullmatch(text):
            parts = {name: _say(value or "") if name == "rest" else value for name, value in found.groupdict().items()}
            return (gettext(template) % parts).strip()
    return text
