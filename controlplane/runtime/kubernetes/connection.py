"""Which cluster: a kubeconfig, or the service account of the pod that this runs in."""

from __future__ import annotations

from collections.abc import Callable

import yaml
from kubernetes import config
from kubernetes.client import Configuration
from kubernetes.config.config_exception import ConfigException

from controlplane.runtime.errors import RuntimeUnavailable


def configuration(*, context: str = "") -> Callable[[], Configuration]:
    """Reads the configuration when called: `$KUBECONFIG`, ~/.kube/config, or the pod's service account, the first that is there.

    What is returned raises RuntimeUnavailable while there is none that can be used.
    """

    def read() -> Configuration:
        wanted = Configuration()
        try:
            if context:
                config.load_kube_config(client_configuration=wanted, context=context)
            else:
                # Not given a context even as None: a pod's own account takes none.
                config.load_config(client_configuration=wanted)
        except (ConfigException, OSError, ValueError, yaml.YAMLError) as error:
            raise RuntimeUnavailable(f"No cluster is configured: {error}") from error
        return wanted

    return read
