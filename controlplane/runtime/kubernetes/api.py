"""One connection to an API server: JSON requests with the official client's configuration, credentials and TLS.

The client's typed models refuse fields that they do not expect, so everything here is plain dicts.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import urllib3
from kubernetes.client import ApiClient, Configuration
from kubernetes.client.exceptions import ApiException
from kubernetes.config.config_exception import ConfigException
from urllib3.exceptions import HTTPError, SSLError

from controlplane.runtime.errors import RuntimeUnavailable
from controlplane.runtime.kubernetes.answers import Answer, failure
from controlplane.runtime.kubernetes.resources import Resource
from controlplane.runtime.managers import PLAIN, Hands

TIMEOUT_S = (3.05, 15.0)
"""To connect, and between two pieces of an answer."""
CLOCK_SLACK = timedelta(seconds=3)
FIELD_MANAGER = "clove"

_APPLY = "application/apply-patch+yaml"
_JSON = "application/json"
_PATCH = "application/json-patch+json"
_MERGE = "application/strategic-merge-patch+json"
METADATA_ONLY = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"
_METADATA_ALONE = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
_CHANGE = "application/merge-patch+json"
PAGE = 500


@dataclass(frozen=True)
class Applied:
    """What a server-side apply answered: the whole object as it stands now, and the server's warnings."""

    item: dict[str, Any]
    warnings: tuple[str, ...] = ()


class Api:
    """Requests to one API server. Every method raises the errors of `runtime.errors` and nothing else.

    The underlying client is made at the first request of a process, so that a fork after construction shares no socket.
    """

    def __init__(self, configure: Callable[[], Configuration], *, hands: Hands = PLAIN) -> None:
        """HANDS says whose changes there are somebody's hand."""
        self.hands = hands
        self._configure = configure
        self._lock = threading.Lock()
        self._client: ApiClient | None = None
        self._pid = 0
        self._ahead = timedelta()

    def now(self) -> datetime:
        """The time by the API server's clock, as its last answer told it: what the cluster dates is compared with that alone."""
        return datetime.now(UTC) + self._ahead

    def get(self, resource: Resource, name: str, namespace: str = "") -> dict[str, Any] | None:
        """The object, or None when it (or its namespace, or its kind) is not there."""
        return self._found(resource.path(name, namespace), "metadata")

    def find(self, path: str) -> dict[str, Any] | None:
        """The JSON at PATH, or None where there is nothing."""
        return self._found(path)

    def _found(self, path: str, *needed: str) -> dict[str, Any] | None:
        answer = self._call("GET", path, accepts=(404,))
        return None if answer.status == 404 else answer.document(*needed)

    def items(
        self, resource: Resource, namespace: str = "", *, selector: str = "", fields: str = "", metadata_only: bool = False
    ) -> list[dict[str, Any]]:
        """All objects, page by page; empty when the cluster lacks the kind."""
        items, _ = self.items_with_version(resource, namespace, selector=selector, fields=fields, metadata_only=metadata_only)
        return items

    def items_with_version(
        self, resource: Resource, namespace: str = "", *, selector: str = "", fields: str = "", metadata_only: bool = False
    ) -> tuple[list[dict[str, Any]], str]:
        """All objects and the resource version from which a watch goes on; the version is empty when the cluster lacks the kind."""
        items: list[dict[str, Any]] = []
        query: dict[str, str] = {"limit": str(PAGE)}
        if selector:
            query["labelSelector"] = selector
        if fields:
            query["fieldSelector"] = fields
        while True:
            accept = METADATA_ONLY if metadata_only else _JSON
            answer = self._call("GET", resource.collection(namespace), query, accept=accept, accepts=(404,))
            if answer.status == 404:
                return [], ""
            page = answer.document("items", "metadata")
            items += page["items"] or ()
            following = page["metadata"].get("continue")
            if not following:
                return items, page["metadata"].get("resourceVersion", "")
            query["continue"] = following

    def apply(
        self, item: Mapping[str, Any], resource: Resource, *, dry_run: bool = False, force: bool = False, manager: str = FIELD_MANAGER
    ) -> Applied:
        """Server-side apply of ITEM, of the fields it names and no others. Unknown fields are refused."""
        metadata = item["metadata"]
        query = {"fieldManager": manager, "fieldValidation": "Strict", "force": "true" if force else "false"}
        if dry_run:
            query["dryRun"] = "All"
        name = f"{resource.kind} {metadata['name']}"
        path = resource.path(metadata["name"], metadata.get("namespace", ""))
        answer = self._call("PATCH", path, query, body=item, content_type=_APPLY, name=name, repeats=True)
        return Applied(answer.document("metadata"), answer.warnings)

    def merge(self, path: str, change: Mapping[str, Any], *, name: str) -> dict[str, Any]:
        """Strategic merge of CHANGE into what is at PATH (an object or a subresource of it), whoever owns the fields."""
        query = {"fieldManager": FIELD_MANAGER, "fieldValidation": "Strict"}
        answer = self._call("PATCH", path, query, body=change, content_type=_MERGE, name=name, repeats=True)
        return answer.document("metadata")

    def patch(self, path: str, operations: Sequence[Mapping[str, Any]], *, name: str, dry_run: bool = False) -> dict[str, Any]:
        """JSON patch (RFC 6902) of the object at PATH. One that names a resource version raises RuntimeBusy when it is another by now."""
        query = {"fieldManager": FIELD_MANAGER, "fieldValidation": "Strict"} | ({"dryRun": "All"} if dry_run else {})
        changed: dict[str, Any] = self._call("PATCH", path, query, body=operations, content_type=_PATCH, name=name, repeats=True).json()
        return changed

    def try_create(self, item: Mapping[str, Any], resource: Resource, namespace: str) -> None:
        """A dry run of a creation: nothing is persisted."""
        query = {"dryRun": "All", "fieldValidation": "Strict", "fieldManager": FIELD_MANAGER}
        name = f"{item['kind']} {item['metadata']['name']}"
        self._call("POST", resource.collection(namespace), query, body=item, content_type=_JSON, name=name, repeats=True)

    def look(self, resource: Resource, name: str, namespace: str) -> dict[str, Any] | None:
        """The object's metadata by a dry run of a change of nothing, or None when it is not there: it takes no right to read it, and
        nothing of what is in it is sent."""
        query = {"dryRun": "All", "fieldManager": FIELD_MANAGER}
        answer = self._call(
            "PATCH",
            resource.path(name, namespace),
            query,
            body={},
            content_type=_CHANGE,
            accept=_METADATA_ALONE,
            accepts=(404,),
            repeats=True,
        )
        return None if answer.status == 404 else answer.json()

    def delete(self, resource: Resource, name: str, namespace: str = "", *, uid: str = "") -> None:
        """Delete in the background; with UID only that very object. Succeeds when it is gone already."""
        body: dict[str, Any] = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background"}
        if uid:
            body["preconditions"] = {"uid": uid}
        path = resource.path(name, namespace)
        self._call("DELETE", path, body=body, content_type=_JSON, name=f"{resource.kind} {name}", accepts=(404,), repeats=True)

    def text(self, path: str, query: Mapping[str, str]) -> str:
        """The plain text at PATH; empty where there is none yet."""
        answer = self._call("GET", path, query, accept="*/*", accepts=(400, 404))
        return answer.body.decode(errors="replace") if answer.status < 300 else ""

    def watch(
        self, resource: Resource, version: str, *, selector: str, silence_s: float, metadata_only: bool = True
    ) -> Iterator[dict[str, Any]]:
        """Events after VERSION until the server ends the stream. Raises RuntimeUnavailable after SILENCE_S without any.

        The server is asked to end it, and to send a last bookmark, before that.
        """
        query = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": version,
            "labelSelector": selector,
            "timeoutSeconds": str(max(1, int(silence_s * 0.8))),
        }
        accept = METADATA_ONLY.replace("MetadataList", "Metadata") if metadata_only else _JSON
        try:
            with contextlib.closing(
                self._send("GET", resource.collection(), query, accept=accept, timeout=(TIMEOUT_S[0], silence_s))
            ) as response:
                if response.status == 401:
                    self._forget()
                if response.status >= 300:
                    raise failure(_answer(response))
                yield from _lines(response)
        except (HTTPError, ValueError) as error:
            raise RuntimeUnavailable(f"The cluster's API server fell silent: {_words(error)}.") from error

    def _call(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        *,
        body: Any = None,
        content_type: str = "",
        accept: str = _JSON,
        name: str = "",
        accepts: tuple[int, ...] = (),
        repeats: bool = False,
    ) -> Answer:
        """One request and its whole answer. A dropped connection is tried once more: all that is asked here may be asked twice.

        So is one that was refused for its credentials, once they have been read anew: a kubeconfig is renewed while this runs.
        """
        for is_last in (False, True):
            try:
                response = self._send(method, path, query or {}, body=body, content_type=content_type, accept=accept)
                answer = _answer(response)
                self._set_clock(response.headers.get("Date", ""))
            except HTTPError as error:
                if isinstance(error, SSLError):
                    self._forget()
                if is_last or not (repeats or method == "GET"):
                    raise RuntimeUnavailable(f"The cluster's API server does not answer: {_words(error)}.") from error
                continue
            if answer.status != 401 or is_last:
                break
            self._forget()
        if answer.status >= 300 and answer.status not in accepts:
            raise failure(answer, name)
        return answer

    def _send(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        *,
        body: Any = None,
        content_type: str = "",
        accept: str = _JSON,
        timeout: tuple[float, float] = TIMEOUT_S,
    ) -> urllib3.BaseHTTPResponse:
        headers = {"Accept": accept}
        if content_type:
            headers["Content-Type"] = content_type
        # The client drops bodies that are empty or of a type it does not know; text goes through as it is.
        text = None if body is None else json.dumps(body, ensure_ascii=False).encode()
        try:
            client = self._connected()
            request = client.param_serialize(
                method, path, query_params=list(query.items()), header_params=headers, auth_settings=["BearerToken"]
            )
            _, url, sent_headers, *_ = request
            return client.rest_client.pool_manager.request(
                method,
                url,
                body=text,
                headers=sent_headers,
                preload_content=False,
                retries=False,
                redirect=False,
                timeout=urllib3.Timeout(connect=timeout[0], read=timeout[1]),
            )
        except ApiException as error:
            raise RuntimeUnavailable(f"The cluster's API server cannot be reached: {error.reason}.") from error
        except ConfigException as error:
            raise RuntimeUnavailable(f"The cluster's credentials cannot be read: {error}") from error

    def _connected(self) -> ApiClient:
        with self._lock:
            if self._client is None or self._pid != os.getpid():
                self._client, self._pid = ApiClient(self._configure()), os.getpid()
            return self._client

    def _set_clock(self, date: str) -> None:
        """By the Date of an answer (RFC 9110 6.6.1), which says whole seconds: what is nearer than that is taken for the same."""
        try:
            ahead = parsedate_to_datetime(date) - datetime.now(UTC)
        except (TypeError, ValueError):
            return
        self._ahead = ahead if abs(ahead) > CLOCK_SLACK else timedelta()

    def _forget(self) -> None:
        """Read the configuration again before the next request: what it says of the server or of who asks is no longer true."""
        with self._lock:
            self._client = None


def _answer(response: urllib3.BaseHTTPResponse) -> Answer:
    headers = response.headers
    return Answer(response.status, response.data, tuple(headers.getlist("Warning")), headers.get("Retry-After", ""))


def _lines(response: urllib3.BaseHTTPResponse) -> Iterator[dict[str, Any]]:
    rest = b""
    while piece := response.read1(1 << 16):
        *whole, rest = (rest + piece).split(b"\n")
        for line in whole:
            if line.strip():
                yield _event(line)
    if rest.strip():
        yield _event(rest)


def _event(line: bytes) -> dict[str, Any]:
    """Raises ValueError for what is none."""
    found = json.loads(line)
    if not isinstance(found, dict) or not isinstance(found.get("object"), dict):
        raise ValueError("what it sent is no event")
    return found


def _words(error: Exception) -> str:
    """ERROR without the address objects that urllib3 prints."""
    text = str(error)
    return text.rpartition(">: ")[2] or text
