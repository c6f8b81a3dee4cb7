"""`./clove manage render_platform … | kubectl apply -f -`: the control plane itself on Kubernetes; docs/platform.md has the steps."""

from __future__ import annotations

import contextlib
import json
import secrets
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet
from django.core.management.base import BaseCommand, CommandError, CommandParser

from controlplane import bootstrap
from controlplane.rendering.platform import UNKNOWN_API, BadOption, Options, platform_secrets, render_platform, render_restore
from controlplane.rendering.render import to_yaml
from controlplane.runtime.errors import RuntimeFailure
from controlplane.systems.keys import new_signing_key


class Command(BaseCommand):
    help = "Print the Kubernetes objects of the control plane as YAML. Applies nothing; asks the cluster where its API is, if not told."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--secrets", action="store_true", help="print new Secrets instead: once for a platform, kept out of git")
        parser.add_argument(
            "--restore", metavar="BACKUP", help="print the Job that puts it back instead: a file of mysql-backups, or latest"
        )
        parser.add_argument("--image", default="", help="of the control plane, best by digest")
        parser.add_argument("--host", default="", help="of portal, console and API, e.g. clove.example.kr")
        parser.add_argument("--base-domain", default="", help="booking systems answer at <name>.<base domain>; default: the host")
        parser.add_argument("--routing", default="gateway", choices=("gateway", "ingress"))
        parser.add_argument("--gateway", default="clove-gateway/clove", help="namespace/name of the Gateway, or of the ingress controller")
        parser.add_argument("--ingress-class", default="")
        parser.add_argument("--tls-secret", default="")
        parser.add_argument("--mariadb-image", default=Options.mariadb_image)
        parser.add_argument("--redis-image", default=Options.redis_image)
        parser.add_argument("--pool", type=Path, help="a file with what docker.build --push printed")
        parser.add_argument(
            "--api-server",
            action="append",
            metavar="CIDR",
            help="where the cluster's API answers; several times; default: as the cluster says",
        )
        parser.add_argument("--api-port", action="append", type=int, metavar="PORT", help="its ports; default: 443 and 6443, or as it says")
        parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="further settings, as settings.py has them")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["secrets"]:
            objects = platform_secrets(_passwords(), fernet_key=Fernet.generate_key().decode(), staff_key=json.dumps(new_signing_key()))
        elif options["restore"] is not None:
            objects = [self._restore(options)]
        else:
            objects = self._objects(options)
        self.stdout.write(to_yaml(objects), ending="")

    def _restore(self, options: dict[str, Any]) -> dict[str, Any]:
        try:
            return render_restore(mariadb_image=options["mariadb_image"], backup=options["restore"], number=int(time.time()))
        except BadOption as error:
            raise CommandError(str(error)) from None

    def _objects(self, options: dict[str, Any]) -> list[dict[str, Any]]:
        settings = dict(pair.partition("=")[::2] for pair in options["set"])
        networks, ports = self._api(options["api_server"], options["api_port"])
        try:
            return render_platform(
                Options(
                    image=options["image"],
                    host=options["host"],
                    base_domain=options["base_domain"] or options["host"],
                    **{
                        name: options[name]
                        for name in ("routing", "gateway", "ingress_class", "tls_secret", "mariadb_image", "redis_image")
                    },
                    pool=tuple(options["pool"].read_text(encoding="utf-8").split()) if options["pool"] else (),
                    api_servers=networks,
                    api_ports=ports,
                    settings=settings,
                )
            )
        except (BadOption, OSError) as error:
            raise CommandError(str(error)) from None

    def _api(self, networks: list[str] | None, ports: list[int] | None) -> tuple[Sequence[str], Sequence[int]]:
        """Where the cluster's API answers: as it is said, or as the cluster of the kubeconfig says."""
        if networks:
            return networks, ports or Options.api_ports
        try:
            with contextlib.redirect_stdout(sys.stderr):  # the client prints a warning, which is no part of the YAML
                found = bootstrap.cluster_api()
        except RuntimeFailure as failure:
            raise CommandError(f"{UNKNOWN_API} The cluster was asked: {failure}") from None
        self.stderr.write(f"The cluster's API, by its own word: {', '.join(found.networks)}, ports {', '.join(map(str, found.ports))}.")
        return found.networks, ports or found.ports


def _passwords() -> dict[str, str]:
    return {name: secrets.token_urlsafe(32) for name in ("root", "mysql", "redis", "django")}
