"""Where a cluster's pods ask for names, as the settings say it: as in most clusters, elsewhere, or nothing that can be used."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from controlplane.rendering.dns import BadDns, Dns, read
from controlplane.rendering.platform import BadOption, Options, render_platform

ROOT = Path(__file__).resolve().parents[4]


def test_what_is_not_set_is_as_in_most_clusters() -> None:
    assert read(pods="", ports=" ", networks="") == Dns("kube-system", {"k8s-app": "kube-dns"}, (53,), ())


def test_pods_ports_and_networks_are_read() -> None:
    assert read(pods="dns/b=2,a.example/x=1", ports="53,5353", networks="169.254.20.10 10.0.0.0/28") == Dns(
        "dns", {"a.example/x": "1", "b": "2"}, (53, 5353), ("169.254.20.10/32", "10.0.0.0/28")
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(
            ("pods", value)
            for value in ("kube-system", "kube-system/", "/k8s-app=kube-dns", "Kube/k8s-app=x", "a/b", "a/b=1,", "a/b=1 c=2")
        ),
        *(("ports", value) for value in ("0", "65536", "dns", "-53", "53.0", "٥٣")),
        *(("networks", value) for value in ("169.254.20.10/8", "node", "10.0.0.0/33")),
    ],
)
def test_what_cannot_be_used_is_refused_by_the_settings_name(name: str, value: str) -> None:
    with pytest.raises(BadDns, match=f"^CLOVE_DNS_{name.upper()} must be "):
        read(**{"pods": "", "ports": "", "networks": "", name: value})


def test_the_control_plane_does_not_start_with_what_cannot_be_used(tmp_path: Path) -> None:
    env = {**os.environ, "CLOVE_HOME": str(tmp_path), "CLOVE_DNS_PORTS": "domain"}
    done = subprocess.run(
        [sys.executable, "-c", "import controlplane.config.settings"], env=env, cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode
    assert done.stderr.rstrip().endswith("BadEnvironment: CLOVE_DNS_PORTS must be ports such as 53, not 'domain'")


def test_the_platforms_own_pods_ask_where_the_settings_say() -> None:
    def options(**settings: str) -> Options:
        return Options(
            image="registry.example/controlplane",
            host="clove.example.kr",
            base_domain="example.kr",
            api_servers=("10.0.0.1/32",),
            settings=settings,
        )

    objects = render_platform(options(CLOVE_DNS_PODS="dns/app=coredns", CLOVE_DNS_PORTS="5353", CLOVE_DNS_NETWORKS="169.254.20.10/32"))
    policy = next(item for item in objects if (item["kind"], item["metadata"]["name"]) == ("NetworkPolicy", "dns"))
    assert policy["spec"]["egress"] == [
        {
            "to": [
                {
                    "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "dns"}},
                    "podSelector": {"matchLabels": {"app": "coredns"}},
                },
                {"ipBlock": {"cidr": "169.254.20.10/32"}},
            ],
            "ports": [{"protocol": "UDP", "port": 5353}, {"protocol": "TCP", "port": 5353}],
        }
    ]
    config = next(item for item in objects if item["kind"] == "ConfigMap" and "CLOVE_DNS_PODS" in item["data"])
    assert config["data"]["CLOVE_DNS_PODS"] == "dns/app=coredns"  # so booking systems get the same
    with pytest.raises(BadOption, match="--set CLOVE_DNS_PODS must be like"):
        render_platform(options(CLOVE_DNS_PODS="coredns"))
