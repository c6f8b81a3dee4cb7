"""The kinds that Clove applies: where the API server keeps them, and in which order they are made. Pure.

A table rather than discovery: the kinds are those of the templates, and asking the server for all it serves costs a request per API group.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from controlplane.runtime.errors import Unsupported
from controlplane.runtime.objects import label


@dataclass(frozen=True)
class Resource:
    """One kind: `api_version` as in a manifest, `plural` as in a path."""

    kind: str
    api_version: str
    plural: str
    is_namespaced: bool = True
    is_extension: bool = False
    """Defined by a CRD, so a cluster may lack it."""

    @property
    def group(self) -> str:
        return self.api_version.rpartition("/")[0]

    @property
    def root(self) -> str:
        """Path of the API group and version."""
        return f"/apis/{self.api_version}" if self.group else f"/api/{self.api_version}"

    def collection(self, namespace: str = "") -> str:
        """Path of all objects, or of those in NAMESPACE."""
        return f"{self.root}/namespaces/{quote(namespace)}/{self.plural}" if namespace else f"{self.root}/{self.plural}"

    def path(self, name: str, namespace: str) -> str:
        """Path of the one object called NAME."""
        return f"{self.collection(namespace if self.is_namespaced else '')}/{quote(name)}"


# In the order in which they are applied: each after those it refers to. Pruning goes the other way round.
RESOURCES = (
    Resource("Namespace", "v1", "namespaces", is_namespaced=False),
    Resource("ResourceQuota", "v1", "resourcequotas"),
    Resource("LimitRange", "v1", "limitranges"),
    Resource("ServiceAccount", "v1", "serviceaccounts"),
    Resource("NetworkPolicy", "networking.k8s.io/v1", "networkpolicies"),
    Resource("ConfigMap", "v1", "configmaps"),
    Resource("Secret", "v1", "secrets"),
    Resource("PersistentVolumeClaim", "v1", "persistentvolumeclaims"),
    Resource("Service", "v1", "services"),
    Resource("StatefulSet", "apps/v1", "statefulsets"),
    Resource("Deployment", "apps/v1", "deployments"),
    Resource("Job", "batch/v1", "jobs"),
    Resource("CronJob", "batch/v1", "cronjobs"),
    Resource("PodDisruptionBudget", "policy/v1", "poddisruptionbudgets"),
    Resource("HorizontalPodAutoscaler", "autoscaling/v2", "horizontalpodautoscalers"),
    Resource("HTTPRoute", "gateway.networking.k8s.io/v1", "httproutes", is_extension=True),
    Resource("Ingress", "networking.k8s.io/v1", "ingresses"),
)
BY_KIND = {resource.kind: resource for resource in RESOURCES}
RANK = {resource.kind: rank for rank, resource in enumerate(RESOURCES)}

NAMESPACE, CONFIG_MAP, SECRET = BY_KIND["Namespace"], BY_KIND["ConfigMap"], BY_KIND["Secret"]
POD = Resource("Pod", "v1", "pods")
NODE = Resource("Node", "v1", "nodes", is_namespaced=False)
EVENT = Resource("Event", "v1", "events")
DAEMON_SET = Resource("DaemonSet", "apps/v1", "daemonsets")
REPLICA_SET = Resource("ReplicaSet", "apps/v1", "replicasets")
GATEWAY = Resource("Gateway", "gateway.networking.k8s.io/v1", "gateways", is_extension=True)


def resource_of(item: Mapping[str, Any]) -> Resource:
    """Where ITEM is kept. Raises Unsupported for a kind or a version that is not in the table."""
    resource = BY_KIND.get(item.get("kind", ""))
    if resource is None or resource.api_version != item.get("apiVersion"):
        raise Unsupported(
            f"{label(item)}: {item.get('apiVersion')} {item.get('kind')} is not a kind that Clove applies.", object_name=label(item)
        )
    return resource
