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

from controlplane.rendering import plan as names
from controlplane.rendering.plan import Plan
from controlplane.rendering.schema import check

TEMPLATES = Path(__file__).resolve().parent.parent.parent / "manifests" / "booking"

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
    "deployment",
    "poddisruptionbudget",
    "httproute",
)

# libyaml where the wheel has it: ten times as fast.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
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
def _environment() -> jinja2.Environment:
    return jinja2.Environment(  # noqa: S701  (autoescape is for HTML)
        loader=jinja2.FileSystemLoader(TEMPLATES),
        undefined=jinja2.StrictUndefined,
        finalize=as_json,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )


def render(plan: Plan) -> list[dict[str, Any]]:
    """The objects of PLAN in the order in which they are applied. Raises schema.BadObject when a template is wrong."""
    context = _context(plan)
    objects: list[dict[str, Any]] = []
    for name in ORDER:
        text = _environment().get_template(f"{name}.yaml.j2").render(context)
        objects += [item for item in yaml.load_all(text, Loader=_Loader) if item is not None]
    check(objects)
    return objects


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

    sizes = [vars(service.resources) for service in plan.services]
    return {
        "plan": plan,
        "labels": labels,
        "selector": selector,
        "surge": plan.total(surge=True),
        "largest": {key: max(size[key] for size in sizes) for key in sizes[0]},
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
        },
    }
