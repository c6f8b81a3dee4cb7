"""The environment and the command line of a container: only what the image and the manifest give, nothing of this process's own."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from controlplane.runtime.errors import Rejected, Unsupported
from controlplane.runtime.local.images import LocalImage
from controlplane.runtime.local.podspec import ContainerSpec, PodSpec
from controlplane.runtime.port import Secrets

_REFERENCE = re.compile(r"\$(?:\$|\(([^)]*)\))")
_FROM_THE_MACHINE = ("PATH", "LD_LIBRARY_PATH")
"""What an interpreter may need to start at all; holds no secret."""


@dataclass(frozen=True)
class PodFacts:
    """What a pod can be told about itself by `fieldRef`."""

    name: str
    namespace: str
    node: str


def expand(text: str, variables: Mapping[str, str]) -> str:
    """TEXT with `$(NAME)` replaced as Kubernetes does: `$$` is a dollar, an unknown name stays as it stands."""
    return _REFERENCE.sub(lambda match: "$" if match[0] == "$$" else variables.get(match[1], match[0]), text)


def container_env(
    container: ContainerSpec,
    image: LocalImage,
    *,
    pod: PodSpec,
    facts: PodFacts,
    config_maps: Mapping[str, Mapping[str, str]],
    secrets: Secrets,
    runtime_env: Mapping[str, str],
) -> dict[str, str]:
    """All variables of CONTAINER. RUNTIME_ENV, what this runtime itself decides, comes last and wins.

    Raises Rejected when a ConfigMap or Secret that it needs is not there.
    """
    env = {name: os.environ[name] for name in _FROM_THE_MACHINE if name in os.environ}
    env |= {"LANG": "C.UTF-8", "PYTHONUNBUFFERED": "1"}
    env |= image.env
    declared: dict[str, str] = {}
    stores = {"configMap": config_maps, "secret": secrets}
    for source in container.env_from:
        for kind, store in stores.items():
            if reference := source.get(f"{kind}Ref"):
                entries = _entries(store, reference, kind)
                declared |= {(source.get("prefix") or "") + key: value for key, value in entries.items()}
    for variable in container.env:
        if "valueFrom" in variable:
            value = _value_from(variable["valueFrom"], stores, pod, facts)
        else:
            value = expand(str(variable.get("value") or ""), {**declared, **runtime_env})
        if value is not None:
            declared[variable["name"]] = value
    return {**env, **declared, **runtime_env}


def container_argv(container: ContainerSpec, image: LocalImage, env: Mapping[str, str]) -> list[str]:
    """The command line: the image's, unless the manifest has a `command`; `args` follow it. `python` is the interpreter running here."""
    argv = [expand(part, env) for part in (*(container.command or image.command), *container.args)]
    if argv[0] in ("python", "python3"):
        argv[0] = sys.executable
    return argv


def _value_from(
    source: Mapping[str, Any], stores: Mapping[str, Mapping[str, Mapping[str, str]]], pod: PodSpec, facts: PodFacts
) -> str | None:
    for kind, store in stores.items():
        if reference := source.get(f"{kind}KeyRef"):
            value = _entries(store, reference, kind).get(reference.get("key", ""))
            if value is None and not reference.get("optional"):
                raise Rejected(f"There is no {reference.get('key')} in {kind} {reference.get('name')}.")
            return value
    if field := (source.get("fieldRef") or {}).get("fieldPath"):
        return _field(field, pod, facts)
    raise Unsupported(f"A variable's value from {', '.join(source)} is not supported on this machine.")


def _entries(store: Mapping[str, Mapping[str, str]], reference: Mapping[str, Any], kind: str) -> Mapping[str, str]:
    name = reference.get("name", "")
    if name not in store and not reference.get("optional"):
        raise Rejected(f"There is no {kind} {name}.")
    return store.get(name, {})


def _field(path: str, pod: PodSpec, facts: PodFacts) -> str:
    known = {
        "metadata.name": facts.name,
        "metadata.namespace": facts.namespace,
        "spec.nodeName": facts.node,
        "status.podIP": "127.0.0.1",
        "status.hostIP": "127.0.0.1",
    }
    for prefix, values in (("metadata.labels", pod.labels), ("metadata.annotations", pod.annotations)):
        if path.startswith(f"{prefix}['") and path.endswith("']"):
            return values.get(path[len(prefix) + 2 : -2], "")
    if path not in known:
        raise Unsupported(f"A pod here does not know its {path}.")
    return known[path]
