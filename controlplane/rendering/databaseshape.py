"""The shapes of the database's objects as the templates write them: StatefulSet, Job and CronJob."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from controlplane.rendering.podshape import (
    ClaimVolume,
    ContainerPort,
    ContainerResources,
    ContainerSecurity,
    EmptyDir,
    EnvVar,
    Image,
    Labels,
    Mount,
    Name,
    PodSecurity,
    Seconds,
    Selector,
    Shape,
)

ReadableByGroup = Literal[288]
ReadableByAll = Literal[292]


class KeyToPath(Shape):
    key: str
    path: str


class SecretFiles(Shape):
    secret_name: Name
    default_mode: ReadableByGroup
    items: list[KeyToPath] | msgspec.UnsetType = msgspec.UNSET


class ConfigFiles(Shape):
    name: Name
    default_mode: ReadableByAll


class Volume(Shape):
    name: Name
    empty_dir: EmptyDir | None = None
    secret: SecretFiles | None = None
    config_map: ConfigFiles | None = None
    persistent_volume_claim: ClaimVolume | None = None


class Exec(Shape):
    command: Annotated[list[str], Meta(min_length=1)]


class ExecProbe(Shape):
    exec: Exec
    period_seconds: Seconds
    timeout_seconds: Seconds
    failure_threshold: Seconds


class TcpSocket(Shape):
    port: Name


class TcpProbe(Shape):
    tcp_socket: TcpSocket
    period_seconds: Seconds
    timeout_seconds: Seconds
    failure_threshold: Seconds


class ServerContainer(Shape):
    name: Name
    image: Image
    image_pull_policy: Literal["IfNotPresent"]
    args: list[str]
    ports: list[ContainerPort]
    env: list[EnvVar]
    resources: ContainerResources
    startup_probe: TcpProbe
    liveness_probe: ExecProbe
    readiness_probe: ExecProbe
    security_context: ContainerSecurity
    volume_mounts: list[Mount]
    command: Annotated[list[str], Meta(min_length=1)] | msgspec.UnsetType = msgspec.UNSET


class TaskContainer(Shape):
    name: Name
    image: Image
    image_pull_policy: Literal["IfNotPresent"]
    command: Annotated[list[str], Meta(min_length=1)]
    env: list[EnvVar]
    resources: ContainerResources
    security_context: ContainerSecurity
    volume_mounts: list[Mount]


class _PodSpec(Shape):
    service_account_name: Name
    automount_service_account_token: Literal[False]
    enable_service_links: Literal[False]
    termination_grace_period_seconds: Seconds
    security_context: PodSecurity
    volumes: list[Volume]


class ServerPodSpec(_PodSpec):
    containers: Annotated[list[ServerContainer], Meta(min_length=1, max_length=1)]


class TaskPodSpec(_PodSpec):
    restart_policy: Literal["Never"]
    containers: Annotated[list[TaskContainer], Meta(min_length=1, max_length=1)]


class TemplateMetadata(Shape):
    labels: Labels


class ServerTemplate(Shape):
    metadata: TemplateMetadata
    spec: ServerPodSpec


class TaskTemplate(Shape):
    metadata: TemplateMetadata
    spec: TaskPodSpec


class StatefulSetSpec(Shape):
    replicas: Literal[0, 1]
    revision_history_limit: int
    service_name: Name
    pod_management_policy: Literal["Parallel"]
    selector: Selector
    template: ServerTemplate


class JobSpec(Shape):
    backoff_limit: Annotated[int, Meta(ge=0, le=10)]
    active_deadline_seconds: Seconds
    template: TaskTemplate


class JobTemplate(Shape):
    metadata: TemplateMetadata
    spec: JobSpec


class CronJobSpec(Shape):
    schedule: Annotated[str, Meta(pattern=r"^[0-9*/, -]{9,60}$")]
    time_zone: Annotated[str, Meta(pattern=r"^[A-Za-z0-9/_+-]{1,60}$")]
    concurrency_policy: Literal["Forbid"]
    starting_deadline_seconds: Seconds
    successful_jobs_history_limit: int
    failed_jobs_history_limit: int
    job_template: JobTemplate
