"""The composition root: which runtime the settings mean. Nothing below this knows an adapter by name."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.conf import settings

from controlplane.runtime.managers import Hands
from controlplane.runtime.port import Objects, Runtime

if TYPE_CHECKING:
    from controlplane.runtime.kubernetes import Api
    from controlplane.runtime.kubernetes.apiserver import ApiServers
    from controlplane.runtime.kubernetes.routing import RoutingChoice


@functools.cache
def runtime() -> Runtime:
    """This process's runtime. An adapter is imported only when it is the one: the Kubernetes client alone is tens of megabytes."""
    if settings.RUNTIME == "local":
        from controlplane.runtime.local import LocalRuntime

        return LocalRuntime(
            home=settings.CLOVE_HOME / "runtime",
            base_domain=settings.BASE_DOMAIN,
            router_port=settings.ROUTER_PORT,
            public_port=settings.PUBLIC_PORT,
        )
    if settings.RUNTIME == "kubernetes":
        return _kubernetes()
    if settings.RUNTIME == "fake":
        from controlplane.runtime.fake import FakeRuntime

        return FakeRuntime()
    raise NotConfigured(f"RUNTIME={settings.RUNTIME} is not available in this version")


def routed(objects: Objects) -> list[Mapping[str, Any]]:
    """OBJECTS as the settings' cluster routes them: what is applied there, and what an export holds."""
    if settings.ROUTING == "gateway":
        return list(objects)  # as they are; and no client of Kubernetes in a process that needs none
    from controlplane.runtime.kubernetes import routing

    return routing.routed(objects, _routing())


def cluster_api() -> ApiServers:
    """Where the API of the settings' cluster answers, as it says itself. Raises RuntimeFailure."""
    from controlplane.runtime.kubernetes.apiserver import api_servers

    return api_servers(_api())


def _kubernetes() -> Runtime:
    from controlplane.runtime.kubernetes import KubernetesRuntime

    return KubernetesRuntime(_api(), _routing())


def _api() -> Api:
    from controlplane.runtime.kubernetes import Api, configuration

    return Api(configuration(context=settings.KUBE_CONTEXT), hands=Hands(tuple(settings.BY_HAND)))


def _routing() -> RoutingChoice:
    from controlplane.runtime.kubernetes.routing import Routing, RoutingChoice

    return RoutingChoice(
        Routing(settings.ROUTING),
        ingress_class=settings.INGRESS_CLASS,
        tls_secret=settings.TLS_SECRET,
        connect_url=settings.CONNECT_URL,
    )


class NotConfigured(Exception):
    """The settings name something that is not there."""
