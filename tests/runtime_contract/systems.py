"""Rendered objects of a small booking system, as `manifests/booking` would render them, for any runtime."""

from __future__ import annotations

import copy
from typing import Any

from controlplane.runtime.port import SystemRef

IMAGE = "clove-test/tiny:1"
PORT = 8000
RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted"}
SECRETS = {"seat-secrets": {"django-secret": "s3cret", "service-key.json": '{"kty":"OKP"}'}}


def ref(number: int = 1) -> SystemRef:
    return SystemRef(number, f"clove-{number}", "seller-1")


def labels(system: SystemRef) -> dict[str, str]:
    """What every object of a system carries."""
    return {"app.kubernetes.io/managed-by": "clove", "clove.dev/system": str(system.system_id), "clove.dev/seller": system.seller}


def system_objects(
    system: SystemRef,
    *services: str,
    replicas: int = 1,
    env: dict[str, str] | None = None,
    image: str = IMAGE,
    host: str = "",
) -> list[dict[str, Any]]:
    """A system of SERVICES (default: seat), with a route, a volume and files each. The first service also answers at `/`."""
    services = services or ("seat",)
    host = host or f"{system.namespace}.localhost"
    namespace = {
        "name": system.namespace,
        "labels": labels(system) | RESTRICTED,
        "annotations": {"clove.dev/public-url": f"http://{host}:8080"},
    }
    objects: list[dict[str, Any]] = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": namespace},
        _object(system, "v1", "ServiceAccount", "booking", automountServiceAccountToken=False),
        _object(system, "v1", "ConfigMap", "booking", data={"LANGUAGE": "ko"}),
        _object(system, "networking.k8s.io/v1", "NetworkPolicy", "deny", spec={"podSelector": {}}),
    ]
    for service in services:
        objects += [
            _object(
                system,
                "v1",
                "PersistentVolumeClaim",
                f"{service}-data",
                spec={"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
            ),
            deployment(system, service, replicas=replicas, env=env or {}, image=image),
            _object(
                system,
                "v1",
                "Service",
                service,
                spec={"selector": {"app.kubernetes.io/name": service}, "ports": [{"name": "http", "port": PORT, "targetPort": "http"}]},
            ),
        ]
    rules = [_rule(f"/api/{service}", service) for service in services] + [_rule("/", services[0])]
    objects.append(
        _object(
            system,
            "gateway.networking.k8s.io/v1",
            "HTTPRoute",
            "booking",
            spec={"parentRefs": [{"name": "clove"}], "hostnames": [host], "rules": rules},
        )
    )
    return objects


def deployment(system: SystemRef, service: str, *, replicas: int = 1, env: dict[str, str], image: str = IMAGE) -> dict[str, Any]:
    selector = {"app.kubernetes.io/name": service, "app.kubernetes.io/instance": system.namespace}
    container = {
        "name": service,
        "image": image,
        "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"cpu": "1", "memory": "128Mi"}},
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        "env": [
            *({"name": name, "value": value} for name, value in env.items()),
            {"name": "SECRET", "valueFrom": {"secretKeyRef": {"name": "seat-secrets", "key": "django-secret"}}},
        ],
        "envFrom": [{"configMapRef": {"name": "booking"}}],
        "ports": [{"name": "http", "containerPort": PORT}],
        "startupProbe": {"httpGet": {"path": "/healthz", "port": "http"}, "periodSeconds": 1, "timeoutSeconds": 2, "failureThreshold": 30},
        "readinessProbe": {"httpGet": {"path": "/readyz", "port": "http"}, "periodSeconds": 1, "timeoutSeconds": 2, "failureThreshold": 3},
        "livenessProbe": {"httpGet": {"path": "/healthz", "port": "http"}, "periodSeconds": 5, "timeoutSeconds": 2, "failureThreshold": 3},
        "volumeMounts": [
            {"name": "data", "mountPath": "/var/lib/clove"},
            {"name": "secrets", "mountPath": "/etc/clove/secrets", "readOnly": True},
            {"name": "tmp", "mountPath": "/tmp"},
        ],
    }
    pod = {
        "serviceAccountName": "booking",
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 10,
        "securityContext": {"runAsNonRoot": True, "runAsUser": 10001, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [container],
        "volumes": [
            {"name": "data", "persistentVolumeClaim": {"claimName": f"{service}-data"}},
            {"name": "secrets", "secret": {"secretName": "seat-secrets"}},
            {"name": "tmp", "emptyDir": {}},
        ],
    }
    return _object(
        system,
        "apps/v1",
        "Deployment",
        service,
        spec={
            "replicas": replicas,
            "selector": {"matchLabels": selector},
            "strategy": {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
            "template": {"metadata": {"labels": selector | labels(system)}, "spec": pod},
        },
    )


def _object(system: SystemRef, version: str, kind: str, name: str, **content: Any) -> dict[str, Any]:
    return {
        "apiVersion": version,
        "kind": kind,
        "metadata": {"name": name, "namespace": system.namespace, "labels": labels(system)},
        **content,
    }


def _rule(prefix: str, service: str) -> dict[str, Any]:
    return {"matches": [{"path": {"type": "PathPrefix", "value": prefix}}], "backendRefs": [{"name": service, "port": PORT}]}


def with_env(objects: list[dict[str, Any]], service: str, **variables: str) -> list[dict[str, Any]]:
    """OBJECTS with VARIABLES added to the environment of SERVICE."""
    changed = copy.deepcopy(objects)
    for item in changed:
        if item["kind"] == "Deployment" and item["metadata"]["name"] == service:
            item["spec"]["template"]["spec"]["containers"][0]["env"] += [
                {"name": name, "value": value} for name, value in variables.items()
            ]
    return changed


def scaled_objects(system: SystemRef) -> list[dict[str, Any]]:
    """A system whose number of copies an autoscaler decides."""
    objects = system_objects(system)
    deployment = next(item for item in objects if item["kind"] == "Deployment")
    del deployment["spec"]["replicas"]
    scaler = {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "seat", "namespace": system.namespace, "labels": deployment["metadata"]["labels"]},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "seat"},
            "minReplicas": 2,
            "maxReplicas": 8,
            "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}}}],
        },
    }
    return [*objects, scaler]
