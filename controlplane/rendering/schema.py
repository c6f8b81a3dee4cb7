"""The shape of every object that rendering emits: exactly the fields the templates write, with their types.

msgspec rather than jsonschema: it forbids unknown fields, reads as what it checks, and takes a millisecond or two for a whole booking
system, which counts against the seconds from submit to live.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from controlplane.rendering.databaseshape import CronJobSpec, JobSpec, StatefulSetSpec
from controlplane.rendering.podshape import (
    Amounts,
    Asked,
    Count,
    Cpu,
    Host,
    Labels,
    Mebibytes,
    Name,
    Nothing,
    Path,
    PodTemplate,
    Port,
    Seconds,
    Selector,
    Shape,
)


class BadObject(Exception):
    """A rendered object is not what Kubernetes would take: a template or a plan is wrong. The message names the object and the field."""


class Metadata(Shape):
    name: Name
    labels: Labels
    namespace: Name = ""
    annotations: dict[str, str] = {}


class Namespace(Shape, tag_field="kind"):
    api_version: Literal["v1"]
    metadata: Metadata


class Hard(msgspec.Struct, forbid_unknown_fields=True):
    pods: Count
    cpu_requests: Cpu = msgspec.field(name="requests.cpu")
    cpu_limits: Cpu = msgspec.field(name="limits.cpu")
    memory_requests: Mebibytes = msgspec.field(name="requests.memory")
    memory_limits: Mebibytes = msgspec.field(name="limits.memory")
    scratch_requests: Nothing = msgspec.field(name="requests.ephemeral-storage")
    scratch_limits: Mebibytes = msgspec.field(name="limits.ephemeral-storage")
    volumes: Count = msgspec.field(name="persistentvolumeclaims")
    storage: Mebibytes = msgspec.field(name="requests.storage")
    node_ports: Count = msgspec.field(name="services.nodeports")
    load_balancers: Count = msgspec.field(name="services.loadbalancers")


class QuotaSpec(Shape):
    hard: Hard


class ResourceQuota(Shape, tag_field="kind"):
    api_version: Literal["v1"]
    metadata: Metadata
    spec: QuotaSpec


class Limit(Shape):
    type: Literal["Container"]
    default: Amounts
    default_request: Asked
    max: Amounts


class LimitSpec(Shape):
    limits: Annotated[list[Limit], Meta(min_length=1)]


class LimitRange(Shape, tag_field="kind"):
    api_version: Literal["v1"]
    metadata: Metadata
    spec: LimitSpec


class ServiceAccount(Shape, tag_field="kind"):
    api_version: Literal["v1"]
    metadata: Metadata
    automount_service_account_token: Literal[False]


class ConfigMap(Shape, tag_field="kind"):
    api_version: Literal["v1"]
    metadata: Metadata
    data: dict[str, str]


class StorageRequest(Shape):
    storage: Mebibytes


class ClaimResources(Shape):
    requests: StorageRequest


class ClaimSpec(Shape):
    access_modes: list[Literal["ReadWriteOnce"]]
    resources: ClaimResources


class PersistentVolumeClaim(Shape, tag_field="kind"):
    api_version: Literal["v1"]
    metadata: Metadata
    spec: ClaimSpec


class ServicePort(Shape):
    name: Name
    port: Port
    target_port: str


class ServiceSpec(Shape):
    selector: Labels
    ports: Annotated[list[ServicePort], Meta(min_length=1)]
    publish_not_ready_addresses: bool = False


class Service(Shape, tag_field="kind"):
    api_version: Literal["v1"]
    metadata: Metadata
    spec: ServiceSpec


class PolicyPort(Shape):
    protocol: Literal["TCP", "UDP"]
    port: Port


class IpBlock(Shape):
    cidr: Annotated[str, Meta(pattern=r"^[0-9a-f.:]+/[0-9]{1,3}$")]
    except_: list[str] = msgspec.field(name="except", default=[])


class Peer(Shape):
    namespace_selector: Selector | None = None
    pod_selector: Selector | None = None
    ip_block: IpBlock | None = None


class Ingress(Shape):
    from_: Annotated[list[Peer], Meta(min_length=1)] = msgspec.field(name="from")
    ports: Annotated[list[PolicyPort], Meta(min_length=1)]


class Egress(Shape):
    to: Annotated[list[Peer], Meta(min_length=1)]
    ports: Annotated[list[PolicyPort], Meta(min_length=1)]


class PolicySpec(Shape):
    pod_selector: Selector
    policy_types: list[Literal["Ingress", "Egress"]]
    ingress: list[Ingress] = []
    egress: list[Egress] = []


class NetworkPolicy(Shape, tag_field="kind"):
    api_version: Literal["networking.k8s.io/v1"]
    metadata: Metadata
    spec: PolicySpec


class RollingUpdate(Shape):
    max_unavailable: Literal[0]
    max_surge: Literal[1]


class Strategy(Shape):
    type: Literal["RollingUpdate"]
    rolling_update: RollingUpdate


class DeploymentSpec(Shape):
    revision_history_limit: int
    progress_deadline_seconds: Seconds
    selector: Selector
    strategy: Strategy
    template: PodTemplate
    replicas: Annotated[int, Meta(ge=0, le=1_000)] | msgspec.UnsetType = msgspec.UNSET
    """Left out where an autoscaler decides."""


class Deployment(Shape, tag_field="kind"):
    api_version: Literal["apps/v1"]
    metadata: Metadata
    spec: DeploymentSpec


class StatefulSet(Shape, tag_field="kind"):
    api_version: Literal["apps/v1"]
    metadata: Metadata
    spec: StatefulSetSpec


class Job(Shape, tag_field="kind"):
    api_version: Literal["batch/v1"]
    metadata: Metadata
    spec: JobSpec


class CronJob(Shape, tag_field="kind"):
    api_version: Literal["batch/v1"]
    metadata: Metadata
    spec: CronJobSpec


class BudgetSpec(Shape):
    max_unavailable: Literal[1]
    selector: Selector


class PodDisruptionBudget(Shape, tag_field="kind"):
    api_version: Literal["policy/v1"]
    metadata: Metadata
    spec: BudgetSpec


class ScaleTarget(Shape):
    api_version: Literal["apps/v1"]
    kind: Literal["Deployment"]
    name: Name


class UtilizationTarget(Shape):
    type: Literal["Utilization"]
    average_utilization: Annotated[int, Meta(ge=1, le=1000)]


class ResourceMetric(Shape):
    name: Literal["cpu"]
    target: UtilizationTarget


class Metric(Shape):
    type: Literal["Resource"]
    resource: ResourceMetric


class AutoscalerSpec(Shape):
    scale_target_ref: ScaleTarget
    min_replicas: Annotated[int, Meta(ge=1, le=1_000)]
    max_replicas: Annotated[int, Meta(ge=1, le=1_000)]
    metrics: Annotated[list[Metric], Meta(min_length=1)]


class HorizontalPodAutoscaler(Shape, tag_field="kind"):
    api_version: Literal["autoscaling/v2"]
    metadata: Metadata
    spec: AutoscalerSpec


class ParentRef(Shape):
    name: Name
    namespace: Name


class PathMatch(Shape):
    type: Literal["PathPrefix"]
    value: Path


class RouteMatch(Shape):
    path: PathMatch


class BackendRef(Shape):
    name: Name
    port: Port


class RouteRule(Shape):
    matches: list[RouteMatch]
    backend_refs: list[BackendRef]


class RouteSpec(Shape):
    parent_refs: list[ParentRef]
    hostnames: Annotated[list[Host], Meta(min_length=1)]
    rules: Annotated[list[RouteRule], Meta(min_length=1)]


class HTTPRoute(Shape, tag_field="kind"):
    api_version: Literal["gateway.networking.k8s.io/v1"]
    metadata: Metadata
    spec: RouteSpec


AnyObject = (
    Namespace
    | ResourceQuota
    | LimitRange
    | ServiceAccount
    | ConfigMap
    | PersistentVolumeClaim
    | Service
    | NetworkPolicy
    | Deployment
    | StatefulSet
    | Job
    | CronJob
    | PodDisruptionBudget
    | HorizontalPodAutoscaler
    | HTTPRoute
)


def check(objects: Sequence[Any]) -> None:
    """Raises BadObject for the first object that is not of its kind's shape."""
    for item in objects:
        try:
            msgspec.convert(item, AnyObject)
        except msgspec.ValidationError as error:
            what = f"{item.get('kind')} {item.get('metadata', {}).get('name')}" if isinstance(item, dict) else repr(item)[:60]
            raise BadObject(f"{what}: {error}") from None
