"""The composition root: which runtime the settings mean. Nothing below this knows an adapter by name."""

from __future__ import annotations

import functools

from django.conf import settings

from controlplane.runtime.port import Runtime


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


def _kubernetes() -> Runtime:
    from controlplane.runtime.kubernetes import Api, KubernetesRuntime, Routing, RoutingChoice, configuration

    routing = RoutingChoice(
        Routing(settings.ROUTING),
        ingress_class=settings.INGRESS_CLASS,
        tls_secret=settings.TLS_SECRET,
        connect_url=settings.CONNECT_URL,
    )
    return KubernetesRuntime(Api(configuration(context=settings.KUBE_CONTEXT)), routing)


class NotConfigured(Exception):
    """The settings name something that is not there."""
