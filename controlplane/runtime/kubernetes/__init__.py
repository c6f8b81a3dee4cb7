"""Runs booking systems on Kubernetes. The only package that imports the `kubernetes` client."""

from controlplane.runtime.kubernetes.adapter import KubernetesRuntime
from controlplane.runtime.kubernetes.api import Api
from controlplane.runtime.kubernetes.connection import configuration
from controlplane.runtime.kubernetes.routing import Routing, RoutingChoice

__all__ = ["Api", "KubernetesRuntime", "Routing", "RoutingChoice", "configuration"]
