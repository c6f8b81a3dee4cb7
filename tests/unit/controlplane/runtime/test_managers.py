import pytest

from controlplane.runtime.managers import Hands


@pytest.mark.parametrize("manager", ["kubectl", "kubectl-edit", "k9s", "node-fetch", "Mozilla", "python-requests", "curl"])
def test_a_tool_is_a_hand(manager: str) -> None:
    assert Hands().have(manager)


@pytest.mark.parametrize("manager", ["kube-controller-manager", "helm", "argocd-controller", "kubelet", "cluster-autoscaler", ""])
def test_a_controller_is_none_unless_it_is_named(manager: str) -> None:
    assert not Hands().have(manager)
    assert Hands((manager,)).have(manager)
