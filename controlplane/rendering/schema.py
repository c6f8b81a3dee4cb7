"""The shape of every object that rendering emits: exactly the fields the templates write, with their types.

msgspec rather than jsonschema: it forbids unknown fields, reads as what it checks, and takes a hundredth of the time, which counts against
the seconds from submit to live. Tests check the same objects with Kubernetes' own schemas where those are at hand.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

Name = Annotated[str, Meta(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")]
Host = Annotated[str, Meta(pattern=r"^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$")]
Port = Annotated[int, Meta(ge=1, le=65535)]
Cpu = Annotated[str, Meta(pattern=r"^[1-9][0-9]*m$")]
Mebibytes = Annotated[str, Meta(pattern=r"^[0-9]+Mi$")]
Count = Annotated[str, Meta(pattern=r"^[0-9]+$")]
Seconds = Annotated[int, Meta(ge=1, le=3600)]
Path = Annotated[str, Meta(pattern=r"^/[A-Za-z0-9/_.-]*$")]
Labels = dict[
    Annotated[str, Meta(pattern=r"^[a-z0-9./-]{1,120}$")],
    Annotated[str, Meta(pattern=r"^([A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?$")],
]


class BadObject(Exception):
    """A rendered object is not what Kubernetes would take: a template or a plan is wrong. The message names the object and the field."""


class Shape(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    pass


class Metadata(Shape):
    name: Name
    labels: Labels
    namespace: Name = ""
    annotations: dict[str, str] = {}


class Named(Shape):
    name: Name


class Selector(Shape):
    match_labels: Labels = {}


class Namespace(Shape, tag_field="kind"):
    api_version: Literal["v1"]
    metadata: Metadata


class Hard(msgspec.Struct, forbid_unknown_fields=True):
    pods: Count
    cpu_requests: Cpu = msgspec.field(name="requests.cpu")
    cpu_limits: Cpu = msgspec.field(name="limits.cpu")
    memory_requests: Mebibytes = msgspec.field(name="requests.memory")
    memory_limits: Mebibytes = msgspec.field(name="limits.memory")
    scratch_requests: Mebibytes = msgspec.field(name="requests.ephemeral-storage")
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


class Amounts(msgspec.Struct, forbid_unknown_fields=True):
    cpu: Cpu
    memory: Mebibytes
    scratch: Mebibytes = msgspec.field(name="ephemeral-storage")


class Limit(Shape):
    type: Literal["Container"]
    default: Amounts
    default_request: Amounts
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


class Service(Shape, tag_field="kind"):
    api_version: Literal["v1"]
    metadata: Metadata
    spec: ServiceSpec


class PolicyPort(Shape):
    protocol: Literal["TCP", "UDP"]
    port: Port


class IpBlock(Shape):
    cidr: str
    except_: list[str] = msgspec.field(name="except")


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


class Seccomp(Shape):
    type: Literal["RuntimeDefault"]


class PodSecurity(Shape):
    run_as_non_root: Literal[True]
    run_as_user: Annotated[int, Meta(ge=10_000)]
    run_as_group: Annotated[int, Meta(ge=10_000)]
    fs_group: Annotated[int, Meta(ge=10_000)]
    fs_group_change_policy: Literal["OnRootMismatch"]
    seccomp_profile: Seccomp


class Capabilities(Shape):
    drop: list[Literal["ALL"]]


class ContainerSecurity(Shape):
    run_as_non_root: Literal[True]
    allow_privilege_escalation: Literal[False]
    read_only_root_filesystem: Literal[True]
    capabilities: Capabilities
    seccomp_profile: Seccomp


class ContainerPort(Shape):
    name: Name
    container_port: Port
    protocol: Literal["TCP"]


class ConfigMapRef(Shape):
    config_map_ref: Named


class EnvVar(Shape):
    name: Annotated[str, Meta(pattern=r"^[A-Z][A-Z0-9_]*$")]
    value: str


class ContainerResources(Shape):
    requests: Amounts
    limits: Amounts


class HttpGet(Shape):
    path: Path
    port: Name


class Probe(Shape):
    http_get: HttpGet
    period_seconds: Seconds
    timeout_seconds: Seconds
    failure_threshold: Seconds


class Sleep(Shape):
    seconds: Seconds


class PreStop(Shape):
    sleep: Sleep


class Lifecycle(Shape):
    pre_stop: PreStop


class Mount(Shape):
    name: Name
    mount_path: Path
    read_only: bool = False


class Container(Shape):
    name: Name
    image: Annotated[str, Meta(pattern=r"^[a-z0-9][A-Za-z0-9._:/@-]{0,254}$")]
    image_pull_policy: Literal["IfNotPresent"]
    ports: list[ContainerPort]
    env_from: list[ConfigMapRef]
    env: list[EnvVar]
    resources: ContainerResources
    startup_probe: Probe
    liveness_probe: Probe
    readiness_probe: Probe
    lifecycle: Lifecycle
    security_context: ContainerSecurity
    volume_mounts: list[Mount]


class EmptyDir(Shape):
    size_limit: Mebibytes


class SecretVolume(Shape):
    secret_name: Name
    default_mode: int


class ClaimVolume(Shape):
    claim_name: Name


class Volume(Shape):
    name: Name
    empty_dir: EmptyDir | None = None
    secret: SecretVolume | None = None
    persistent_volume_claim: ClaimVolume | None = None


class Spread(Shape):
    max_skew: int
    topology_key: str
    when_unsatisfiable: Literal["ScheduleAnyway"]
    label_selector: Selector


class PodSpec(Shape):
    service_account_name: Name
    automount_service_account_token: Literal[False]
    enable_service_links: Literal[False]
    termination_grace_period_seconds: Seconds
    security_context: PodSecurity
    topology_spread_constraints: list[Spread]
    containers: Annotated[list[Container], Meta(min_length=1, max_length=1)]
    volumes: list[Volume]


class PodMetadata(Shape):
    labels: Labels
    annotations: dict[str, str]


class PodTemplate(Shape):
    metadata: PodMetadata
    spec: PodSpec


class RollingUpdate(Shape):
    max_unavailable: Literal[0]
    max_surge: Literal[1]


class Strategy(Shape):
    type: Literal["RollingUpdate"]
    rolling_update: RollingUpdate


class DeploymentSpec(Shape):
    replicas: Annotated[int, Meta(ge=0, le=1_000)]
    revision_history_limit: int
    progress_deadline_seconds: Seconds
    selector: Selector
    strategy: Strategy
    template: PodTemplate


class Deployment(Shape, tag_field="kind"):
    api_version: Literal["apps/v1"]
    metadata: Metadata
    spec: DeploymentSpec


class BudgetSpec(Shape):
    max_unavailable: Literal[1]
    selector: Selector


class PodDisruptionBudget(Shape, tag_field="kind"):
    api_version: Literal["policy/v1"]
    metadata: Metadata
    spec: BudgetSpec


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
    | PodDisruptionBudget
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
