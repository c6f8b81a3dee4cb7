"""Plan -> Kubernetes objects, by the templates in manifests/booking/. The same plan always gives the same bytes.

Every `{{ value }}` is written as JSON, which is YAML that cannot be broken out of; the text is parsed back at once, checked, and handled
as plain dicts from there on.
"""

from __future__ import annotations

import functools
import json
import re
from pathlib import Path
from typing import Any

import jinja2
import yaml

from controlplane.rendering import database
from controlplane.rendering import plan as names
from controlplane.rendering.images import ResourcesPlan
from controlplane.rendering.plan import Plan, Restore
from controlplane.rendering.requirement import digest
from controlplane.rendering.schema import BadObject, check

MANIFESTS = Path(__file__).resolve().parent.parent.parent / "manifests"
TEMPLATES = MANIFESTS / "booking"

# The order in which objects are applied: each after those it refers to.
ORDER = (
    "namespace",
    "resourcequota",
    "limitrange",
    "serviceaccount",
    "networkpolicy",
    "configmap",
    "persistentvolumeclaim",
    "service",
    "statefulset",
    "deployment",
    "job",
    "cronjob",
    "poddisruptionbudget",
    "horizontalpodautoscaler",
    "httproute",
)

BACKUP_NAME = re.compile(r"clove-[0-9]{8}T[0-9]{6}Z\.sql\.gz")

# libyaml where the wheel has it: ten times as fast.
LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_Dumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)

# JSON leaves these as they are, while YAML folds, refuses or drops them.
_NOT_YAML = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")


def as_json(value: Any) -> str:
    """VALUE as JSON that is also YAML with the same meaning.

    `ensure_ascii=False`, because YAML does not read JSON's surrogate pairs.
    """
    if isinstance(value, jinja2.Undefined):
        str(value)  # StrictUndefined raises, naming what is missing
    if value is None:
        raise ValueError("a template asked for a value that is not there")
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    return _NOT_YAML.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


@functools.cache
def environment() -> jinja2.Environment:
    """Templates of manifests/, by their paths there, and those of manifests/booking/ by name."""
    return jinja2.Environment(  # noqa: S701  (autoescape is for HTML)
        loader=jinja2.FileSystemLoader((TEMPLATES, MANIFESTS / "database", MANIFESTS)),
        undefined=jinja2.StrictUndefined,
        finalize=as_json,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )


def prepare() -> None:
    """Compile the templates now, so that the first render of this process takes no longer than the next."""
    for name in ORDER:
        environment().get_template(f"{name}.yaml.j2")


def render(plan: Plan) -> list[dict[str, Any]]:
    """The objects of PLAN in the order in which they are applied. Raises schema.BadObject when a template is wrong."""
    context = _context(plan)
    objects: list[dict[str, Any]] = []
    if plan.restore:
        _check_restore(plan, plan.restore)
    for name in (*ORDER, "restore") if plan.restore else ORDER:
        text = environment().get_template(f"{name}.yaml.j2").render(context)
        objects += [_named_by_content(item, plan) for item in yaml.load_all(text, Loader=LOADER) if item is not None]
    check(objects)
    return objects


def _check_restore(plan: Plan, restore: Restore) -> None:
    if not is_backup_name(restore.backup):
        raise BadObject(f"{restore.backup!r} is not the name of a backup")
    if not (plan.database and plan.database.server):
        raise BadObject("this system has no database server of its own")


def is_backup_name(name: str) -> bool:
    """NAME is `latest`, or what a file with a backup can be called."""
    return name == "latest" or bool(BACKUP_NAME.fullmatch(name))


def _named_by_content(item: dict[str, Any], plan: Plan) -> dict[str, Any]:
    """ITEM; a Job under a name that says what it does. The server takes no other Job in the place of one, be it that a release renders it
    otherwise. A restore has one of its own each time."""
    if item["kind"] != "Job" or item["metadata"]["name"] != f"{database.SERVER}-setup":
        return item
    schemas = sorted(plan.database.schemas.values()) if plan.database else []
    content = digest({"job": item, "schemas": schemas, "script": database.script("setup.sh")})
    return {**item, "metadata": {**item["metadata"], "name": f"{item['metadata']['name']}-{content[:10]}"}}


def to_yaml(objects: list[dict[str, Any]]) -> str:
    """OBJECTS as YAML for people and for `kubectl apply`."""
    return yaml.dump_all(objects, Dumper=_Dumper, sort_keys=False, allow_unicode=True, explicit_start=True, width=1_000)


def _context(plan: Plan) -> dict[str, Any]:
    def selector(component: str) -> dict[str, str]:
        return {"app.kubernetes.io/name": component, "app.kubernetes.io/instance": plan.namespace}

    def labels(component: str) -> dict[str, str]:
        return selector(component) | {
            "app.kubernetes.io/managed-by": "clove",
            "app.kubernetes.io/component": component,
            "clove.dev/system": str(plan.system_id),
            "clove.dev/seller": plan.seller,
        }

    server = plan.database.server if plan.database else None
    sizes = [vars(service.resources) for service in plan.services]
    sizes += [vars(server.resources), vars(server.client_resources)] if server else []
    return {
        "plan": plan,
        "labels": labels,
        "selector": selector,
        "surge": plan.total(surge=True),
        "largest": {key: max(size[key] for size in sizes) for key in sizes[0]},
        "server": server,
        "amounts": amounts,
        "pod_security": POD_SECURITY,
        "container_security": CONTAINER_SECURITY,
        "with_database": [service.name for service in plan.services if plan.database and service.name in plan.database.schemas],
        "scripts": {name: database.script(name) for name in ("backup.sh", "restore.sh", "setup.sh", "start.sh")} if server else {},
        # The longest path first: the pages' `/` takes what is left.
        "routed": sorted(plan.services, key=lambda service: (-len(service.path), service.path)),
        "names": {
            "config_map": names.CONFIG_MAP,
            "config_digest": names.digest_of(plan.config),
            "trust_secret": names.TRUST_SECRET,
            "secrets_dir": names.SECRETS_DIR,
            "trust_dir": names.TRUST_DIR,
            "data_dir": names.DATA_DIR,
            "service_port": names.SERVICE_PORT,
            "server": database.SERVER,
            "client": database.CLIENT,
            "scripts": database.SCRIPTS,
            "scripts_dir": database.SCRIPTS_DIR,
            "backups_dir": database.BACKUPS_DIR,
            "backup_secret": database.BACKUP_SECRET,
        },
    }


_SECCOMP = {"type": "RuntimeDefault"}
POD_SECURITY = {
    "runAsNonRoot": True,
    "runAsUser": 10001,
    "runAsGroup": 10001,
    "fsGroup": 10001,
    "fsGroupChangePolicy": "OnRootMismatch",
    "seccompProfile": _SECCOMP,
}
CONTAINER_SECURITY = {
    "runAsNonRoot": True,
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": _SECCOMP,
}


def amounts(resources: ResourcesPlan) -> dict[str, dict[str, str]]:
    """What a container asks for and what it may use at most.

    No disk is asked for: services write nothing but their log, and no pod would fit on a node whose kubelet does not count its disk
    (`localStorageCapacityIsolation: false`, which a kubelet without access to its file system's figures needs).
    """
    scratch = f"{resources.scratch_mib}Mi"
    return {
        "requests": {"cpu": f"{resources.cpu_request_m}m", "memory": f"{resources.memory_request_mib}Mi", "ephemeral-storage": "0"},
        "limits": {"cpu": f"{resources.cpu_limit_m}m", "memory": f"{resources.memory_limit_mib}Mi", "ephemeral-storage": scratch},
    }
