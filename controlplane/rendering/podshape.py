"""The shape of a pod as the templates write it, and the words that all shapes are made of."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Name = Annotated[str, Meta(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")]
Host = Annotated[str, Meta(pattern=r"^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$")]
Port = Annotated[int, Meta(ge=1, le=65535)]
Cpu = Annotated[str, Meta(pattern=r"^[1-9][0-9]*m$")]
Mebibytes = Annotated[str, Meta(pattern=r"^[0-9]+Mi$")]
Nothing = Literal["0"]
Count = Annotated[str, Meta(pattern=r"^[0-9]+$")]
Seconds = Annotated[int, Meta(ge=1, le=3600)]
Path = Annotated[str, Meta(pattern=r"^/[A-Za-z0-9/_.-]*$")]
Image = Annotated[str, Meta(pattern=r"^[a-z0-9][A-Za-z0-9._:/@-]{0,254}$")]
Labels = dict[
    Annotated[str, Meta(pattern=r"^[a-z0-9./-]{1,120}$")],
    Annotated[str, Meta(pattern=r"^([A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?$")],
]


class Shape(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    pass


class Named(Shape):
    name: Name


class Selector(Shape):
    match_labels: Labels = {}


class Amounts(msgspec.Struct, forbid_unknown_fields=True):
    cpu: Cpu
    memory: Mebibytes
    scratch: Mebibytes = msgspec.field(name="ephemeral-storage")


class Asked(msgspec.Struct, forbid_unknown_fields=True):
    cpu: Cpu
    memory: Mebibytes
    scratch: Nothing = msgspec.field(name="ephemeral-storage")


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
    requests: Asked
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
    image: Image
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


class NodeExpression(Shape):
    key: Literal["metadata.name"]
    operator: Literal["In"]
    values: Annotated[list[Host], Meta(min_length=1, max_length=1)]


class NodeTerm(Shape):
    match_fields: list[NodeExpression]


class NodeTerms(Shape):
    node_selector_terms: list[NodeTerm]


class NodeAffinity(Shape):
    required: NodeTerms = msgspec.field(name="requiredDuringSchedulingIgnoredDuringExecution")


class Affinity(Shape):
    node_affinity: NodeAffinity


class PodSpec(Shape):
    service_account_name: Name
    automount_service_account_token: Literal[False]
    enable_service_links: Literal[False]
    termination_grace_period_seconds: Seconds
    security_context: PodSecurity
    topology_spread_constraints: list[Spread]
    containers: Annotated[list[Container], Meta(min_length=1, max_length=1)]
    volumes: list[Volume]
    affinity: Affinity | None = None


class PodMetadata(Shape):
    labels: Labels
    annotations: dict[str, str]


class PodTemplate(Shape):
    metadata: PodMetadata
    spec: PodSpec
