"""What a real API server answers in the cases that Clove's Kubernetes runtime is built on, as raw as it reads them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from controlplane.runtime.errors import RuntimeUnavailable
from controlplane.runtime.kubernetes.answers import Answer, failure
from controlplane.runtime.kubernetes.api import Api
from controlplane.runtime.kubernetes.resources import BY_KIND, CONFIG_MAP, NAMESPACE, POD, Resource, resource_of
from tests.runtime_contract.recording import told
from tests.runtime_contract.supervised import eventually
from tests.runtime_contract.systems import RESTRICTED, deployment, labels, ref

APPLY, JSON, MERGE = "application/apply-patch+yaml", "application/json", "application/merge-patch+json"
DEPLOYMENT, QUOTA = BY_KIND["Deployment"], BY_KIND["ResourceQuota"]
_READ = ("kind", "status", "message", "reason", "code")
_DETAILS = ("name", "kind", "causes", "retryAfterSeconds")


class Server:
    """Requests of the recorded cases; `nobody` may do nothing, `stranger` has credentials that the server does not know."""

    def __init__(self, admin: Api, nobody: Api, stranger: Api) -> None:
        self.admin, self.nobody, self.stranger = admin, nobody, stranger

    def ask(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        api: Api | None = None,
        content_type: str = JSON,
        query: Mapping[str, str] = MappingProxyType({}),
    ) -> Answer:
        response = (api or self.admin)._send(method, path, query, body=body, content_type=content_type if body else "")
        return Answer(response.status, response.data, tuple(response.headers.getlist("Warning")))

    def apply(self, item: Mapping[str, Any], *, manager: str = "clove", **query: str) -> Answer:
        """A server-side apply as Clove sends it."""
        metadata = item["metadata"]
        path = resource_of(item).path(metadata["name"], metadata.get("namespace", ""))
        asked = {"fieldManager": manager, "fieldValidation": "Strict", "force": "false", **query}
        return self.ask("PATCH", path, item, content_type=APPLY, query=asked)

    def namespace(self, number: int) -> str:
        """A new one."""
        system = ref(number)
        metadata = {"name": system.namespace, "labels": labels(system) | RESTRICTED}
        answer = self.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
        assert answer.status in (200, 201), answer.body
        return system.namespace

    def version(self, resource: Resource, name: str, namespace: str) -> str:
        found = self.admin.get(resource, name, namespace)
        assert found is not None
        return str(found["metadata"]["resourceVersion"])


def refusal(answer: Answer, name: str) -> dict[str, Any]:
    """ANSWER, to a request about NAME, as far as Clove reads it, with the port's error that it becomes."""
    try:
        status = answer.json()
    except ValueError:  # of a path that nothing serves
        return {"name": name, "status": answer.status, "text": answer.body.decode(), "becomes": told(failure(answer, name))}
    kept = {key: status[key] for key in _READ if key in status}
    details = {key: value for key, value in (status.get("details") or {}).items() if key in _DETAILS}
    return {"name": name, "status": answer.status, "body": kept | {"details": details}, "becomes": told(failure(answer, name))}


def seat(number: int, **spec: Any) -> dict[str, Any]:
    """The Deployment seat of system NUMBER with SPEC in its spec."""
    item = deployment(ref(number), "seat", env={})
    item["spec"] |= spec
    return item


def before_its_namespace(server: Server) -> Any:
    return refusal(server.apply(seat(7101), dryRun="All"), "Deployment seat")


def a_dry_run_keeps_nothing(server: Server) -> Any:
    namespace = server.namespace(7102)
    tried = server.apply(seat(7102), dryRun="All")
    found = server.ask("GET", DEPLOYMENT.path("seat", namespace))
    return {"tried": tried.status, "replicas": tried.json()["spec"]["replicas"], "afterwards": refusal(found, "Deployment seat")}


def applied_twice(server: Server) -> Any:
    namespace = server.namespace(7103)
    first = server.apply(seat(7103))
    before = server.version(DEPLOYMENT, "seat", namespace)
    second = server.apply(seat(7103))
    is_same = server.version(DEPLOYMENT, "seat", namespace) == before
    return {"first": first.status, "second": second.status, "is_the_same_version": is_same}


def an_unknown_field(server: Server) -> Any:
    server.namespace(7104)
    return refusal(server.apply(seat(7104, teleport=True)), "Deployment seat")


def an_immutable_field(server: Server) -> Any:
    server.namespace(7105)
    server.apply(seat(7105))
    changed = seat(7105, selector={"matchLabels": {"app.kubernetes.io/name": "seat"}})
    return refusal(server.apply(changed), "Deployment seat")


def an_invalid_value(server: Server) -> Any:
    server.namespace(7106)
    return refusal(server.apply(seat(7106, replicas=-1)), "Deployment seat")


def a_field_of_another_manager(server: Server) -> Any:
    namespace = server.namespace(7107)
    server.apply(seat(7107))
    path = DEPLOYMENT.path("seat", namespace)
    server.ask("PATCH", path, {"spec": {"replicas": 3}}, content_type=MERGE, query={"fieldManager": "their-autoscaler"})
    return refusal(server.apply(seat(7107)), "Deployment seat")


def a_number_that_an_autoscaler_set(server: Server) -> Any:
    namespace = server.namespace(7108)
    server.apply(seat(7108))
    path = f"{DEPLOYMENT.path('seat', namespace)}/scale"
    server.ask("PATCH", path, {"spec": {"replicas": 3}}, content_type=MERGE, query={"fieldManager": "kube-controller-manager"})
    return refusal(server.apply(seat(7108)), "Deployment seat")


def a_namespace_that_is_ending(server: Server) -> Any:
    namespace = server.namespace(7109)
    server.ask("DELETE", NAMESPACE.path(namespace, ""))
    return refusal(server.apply(seat(7109)), "Deployment seat")


def another_version_of_an_object(server: Server) -> Any:
    namespace = server.namespace(7110)
    server.apply(seat(7110))
    stale = {"preconditions": {"uid": "00000000-0000-0000-0000-000000000000"}}
    return refusal(server.ask("DELETE", DEPLOYMENT.path("seat", namespace), stale), "Deployment seat")


def a_full_quota(server: Server) -> Any:
    namespace = server.namespace(7111)
    hard = {"hard": {"count/configmaps": "0"}}
    server.apply({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "booking", "namespace": namespace}, "spec": hard})
    status = {"status": {**hard, "used": {"count/configmaps": "0"}}}
    server.ask("PATCH", f"{QUOTA.path('booking', namespace)}/status", status, content_type=MERGE)
    return refusal(
        server.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one", "namespace": namespace}}), "ConfigMap one"
    )


def a_pod_that_pod_security_refuses(server: Server) -> Any:
    namespace = server.namespace(7112)
    server.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "booking", "namespace": namespace}})
    item = seat(7112)
    spec = item["spec"]["template"]["spec"]
    spec["containers"][0]["securityContext"] = {}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "seat", "namespace": namespace}, "spec": spec}
    return refusal(server.ask("POST", POD.collection(namespace), pod, query={"dryRun": "All"}), "Pod seat")


def a_deployment_of_such_a_pod(server: Server) -> Any:
    namespace = server.namespace(7113)
    warn = {"metadata": {"labels": {"pod-security.kubernetes.io/warn": "restricted"}}}
    server.ask("PATCH", NAMESPACE.path(namespace, ""), warn, content_type=MERGE)
    item = seat(7113)
    item["spec"]["template"]["spec"]["containers"][0]["securityContext"] = {}
    answer = server.apply(item, dryRun="All")
    return {"status": answer.status, "raw_warnings": list(answer.raw_warnings), "warnings": list(answer.warnings)}


def a_secret_that_is_refused(server: Server) -> Any:
    namespace = server.namespace(7114)
    metadata = {"name": "seat-secrets", "namespace": namespace}
    item = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": {"not a file name": "czNjcmV0"}}
    return refusal(server.apply(item), "Secret seat-secrets")


def a_kind_that_is_not_served(server: Server) -> Any:
    path = "/apis/example.org/v1/namespaces/default/teleporters/one"
    item = {"apiVersion": "example.org/v1", "kind": "Teleporter", "metadata": {"name": "one", "namespace": "default"}}
    return refusal(server.ask("PATCH", path, item, content_type=APPLY, query={"fieldManager": "clove"}), "Teleporter one")


def a_verb_that_is_forbidden(server: Server) -> Any:
    return refusal(server.ask("GET", NAMESPACE.path("default", ""), api=server.nobody), "Namespace default")


def credentials_that_are_not_known(server: Server) -> Any:
    return refusal(server.ask("GET", NAMESPACE.path("default", ""), api=server.stranger), "Namespace default")


def a_watch_ends_with_a_bookmark(server: Server) -> Any:
    """The events of a watch from a list on, until the server ends it: an object that is watched, then one that is not."""
    namespace, mine, theirs = server.namespace(7115), labels(ref(7115)), labels(ref(7199))

    def make(name: str, marks: dict[str, str]) -> None:
        server.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": namespace, "labels": marks}})

    _, version = server.admin.items_with_version(CONFIG_MAP, metadata_only=True)
    make("watched", mine)
    watch = server.admin.watch(CONFIG_MAP, version, selector="clove.dev/system=7115", silence_s=6.0)
    events = [next(watch)]
    make("beside", theirs)
    events += watch
    versions = [int(event["object"]["metadata"]["resourceVersion"]) for event in events]
    return {
        "events": [_shape(event) for event in events[:2]],
        "others_are_bookmarks": all(event["type"] == "BOOKMARK" for event in events[1:]),
        "the_bookmark_is_newer": versions[1] > versions[0] > int(version),
    }


def a_watch_from_too_old_a_version(server: Server) -> Any:
    """Of a kind that was defined after that version, so that no cache reaches back so far."""

    def begun() -> list[dict[str, Any]] | None:
        try:
            return list(server.admin.watch(BY_KIND["HTTPRoute"], "1", selector="", silence_s=5.0))
        except RuntimeUnavailable:  # its storage is still being made
            return None

    events = eventually(begun)
    return events[0] if events else None


def _shape(event: Mapping[str, Any]) -> dict[str, Any]:
    """EVENT with the version replaced by whether there is one."""
    item = event["object"]
    metadata = {key: value for key, value in item["metadata"].items() if key in ("name", "namespace", "labels")}
    metadata["resourceVersion"] = "VERSION" if item["metadata"].get("resourceVersion") else ""
    return {"type": event["type"], "object": {"kind": item["kind"], "metadata": metadata}}


CASES: dict[str, Callable[[Server], Any]] = {
    case.__name__: case
    for case in (
        before_its_namespace,
        a_dry_run_keeps_nothing,
        applied_twice,
        an_unknown_field,
        an_immutable_field,
        an_invalid_value,
        a_field_of_another_manager,
        a_number_that_an_autoscaler_set,
        a_namespace_that_is_ending,
        another_version_of_an_object,
        a_full_quota,
        a_pod_that_pod_security_refuses,
        a_deployment_of_such_a_pod,
        a_secret_that_is_refused,
        a_kind_that_is_not_served,
        a_verb_that_is_forbidden,
        credentials_that_are_not_known,
        a_watch_ends_with_a_bookmark,
        a_watch_from_too_old_a_version,
    )
}
