"""Which systems moved, from watches of their objects: list, then watch from there with bookmarks, and again whenever that ends.

Of pods and workloads the whole object is asked for, and only what `moves` tells apart is told: a start is dozens of writes and few news.

A watch that the server ends goes on from the last bookmark. One that breaks, that is told 410 Gone (its version is too old) or that hears
nothing for SILENCE_S is begun anew with a list, and then every system is told of: what happened in between is not known. One that ends
sooner than a server ends it, without having told anything, is asked for again ever more seldom, whatever it ended with.
"""

from __future__ import annotations

import logging
import math
import queue
import random
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from controlplane.runtime.errors import RuntimeFailure, RuntimeUnavailable
from controlplane.runtime.kubernetes.api import Api
from controlplane.runtime.kubernetes.moves import standing
from controlplane.runtime.kubernetes.resources import BY_KIND, NAMESPACE, POD, Resource
from controlplane.runtime.objects import MANAGED_BY, MANAGED_LABEL, SYSTEM_LABEL
from controlplane.runtime.port import SystemRef

log = logging.getLogger(__name__)

WATCHED = (NAMESPACE, BY_KIND["Deployment"], BY_KIND["StatefulSet"], BY_KIND["PersistentVolumeClaim"], POD)
"""A claim, for what is sold after somebody deletes it goes with it. Whatever else of a system changes is found by the sweep."""
SILENCE_S = 60.0
"""The server is asked to end a watch before that, so a longer silence is a dead connection."""
HEARTBEAT_S = 10.0
RETRY_S = (0.5, 1.0, 2.0, 5.0, 10.0)
"""At most so long, and at least half of it, for not all kinds and control planes to ask again at once."""
LASTED_S = 5.0
"""A stream that lasted so long was a stream: that of a quiet kind has nothing to tell, and servers end each after minutes."""
SELLER_LABEL = "clove.dev/seller"
_GONE = 410


@dataclass
class _Stream:
    """Where the watch of a kind stands since it was last listed."""

    version: str = ""
    known: dict[str, object] = field(default_factory=dict)
    """uid -> how it stood."""
    has_news: bool = False
    begun_at: float = math.inf

    def is_sound(self) -> bool:
        """Whether the last one was a stream and not a refusal."""
        return self.has_news or time.monotonic() - self.begun_at >= LASTED_S


def events(api: Api, *, heartbeat_s: float = HEARTBEAT_S, silence_s: float = SILENCE_S) -> Iterator[SystemRef | None]:
    """Endlessly; see `runtime.port.Runtime.events`. Its threads end some time after the iterator is closed.

    Raises RuntimeUnavailable when one of them has died: there is no heartbeat of who hears only a part.
    """
    found: queue.Queue[SystemRef] = queue.Queue()
    stop = threading.Event()
    threads = []
    try:
        for resource in WATCHED:
            arguments = (api, resource, found, stop, silence_s)
            threads.append(threading.Thread(target=_watch_for_ever, args=arguments, name=f"watch-{resource.plural}", daemon=True))
            threads[-1].start()
        while True:
            try:
                moved = found.get(timeout=heartbeat_s)
            except queue.Empty:
                moved = None
            if dead := [thread.name for thread in threads if not thread.is_alive()]:
                raise RuntimeUnavailable(f"Nobody listens to the cluster any more: {', '.join(dead)} ended.")
            yield moved
    finally:
        stop.set()


def _watch_for_ever(api: Api, resource: Resource, found: queue.Queue[SystemRef], stop: threading.Event, silence_s: float) -> None:
    attempt, stream = 0, _Stream()
    while not stop.is_set():
        least_s = 0.0
        try:
            if not stream.version:
                stream = _Stream(_list(api, resource, found))
            stream.has_news, stream.begun_at = False, time.monotonic()
            _watch(api, resource, stream, found, stop, silence_s)
            is_broken = False
        except RuntimeFailure as failure:
            log.warning("watch of %s: %s", resource.plural, failure.reason)
            is_broken, least_s = True, failure.retry_after_s
        except Exception:
            # A bug, or an answer as no API server gives it: to hear nothing for ever would be worse than to ask again.
            log.exception("watch of %s", resource.plural)
            is_broken = True
        if stream.is_sound():
            attempt = 0
            if not is_broken:
                continue
        if is_broken:
            stream = _Stream()
        pause_s = RETRY_S[min(attempt, len(RETRY_S) - 1)] * random.uniform(0.5, 1)  # noqa: S311 - jitter
        stop.wait(max(pause_s, least_s))
        attempt += 1


def _list(api: Api, resource: Resource, found: queue.Queue[SystemRef]) -> str:
    items, version = api.items_with_version(resource, selector=f"{MANAGED_LABEL}={MANAGED_BY},{SYSTEM_LABEL}", metadata_only=True)
    for ref in dict.fromkeys(ref for item in items if (ref := _system_of(item))):
        found.put(ref)
    return version


def _watch(api: Api, resource: Resource, stream: _Stream, found: queue.Queue[SystemRef], stop: threading.Event, silence_s: float) -> None:
    """Until the stream ends. Leaves in STREAM the version to go on from, or an empty text when only a list helps."""
    label_selector = f"{MANAGED_LABEL}={MANAGED_BY},{SYSTEM_LABEL}"
    for event in api.watch(resource, stream.version, selector=label_selector, silence_s=silence_s, metadata_only=resource is NAMESPACE):
        if stop.is_set():
            break
        item = event["object"]
        if event.get("type") == "ERROR":
            if item.get("code") != _GONE:
                log.warning("watch of %s: %s", resource.plural, item.get("message"))
            stream.version = ""
            return
        before, is_bookmark = stream.version, event.get("type") == "BOOKMARK"
        stream.version = item.get("metadata", {}).get("resourceVersion") or before
        stream.has_news |= not is_bookmark and stream.version != before
        if not is_bookmark and (ref := _system_of(item)) and _has_moved(event, stream.known):
            found.put(ref)


def _has_moved(event: Mapping[str, Any], known: dict[str, object]) -> bool:
    """Whether EVENT is news, and KNOWN from now on."""
    item = event["object"]
    uid = item["metadata"].get("uid", "")
    before = known.pop(uid, None)
    if event["type"] == "DELETED":
        return True
    known[uid] = standing(item)
    return known[uid] != before


def _system_of(item: Mapping[str, Any]) -> SystemRef | None:
    metadata = item.get("metadata") or {}
    labels = metadata.get("labels") or {}
    if not labels.get(SYSTEM_LABEL, "").isdecimal():
        return None
    namespace = metadata.get("namespace") or metadata["name"]
    return SystemRef(int(labels[SYSTEM_LABEL]), namespace, labels.get(SELLER_LABEL, ""))
