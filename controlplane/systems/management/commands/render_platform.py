"""`./clove manage render_platform … | kubectl apply -f -`: the control plane itself on Kubernetes; docs/platform.md has the steps."""

from __future__ import annotations

import json
import secrets
import time
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet
from django.core.management.base import BaseCommand, CommandError, CommandParser

from controlplane.rendering.platform import BadOption, Options, platform_secrets, render_platform, render_restore
from controlplane.rendering.render import to_yaml
from controlplane.systems.keys import new_signing_key


class Command(BaseCommand):
    help = "Print the Kubernetes objects of the control plane as YAML. Needs no server; applies nothing."
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
        parser.add_argument("--api-server", action="append", metavar="CIDR", help="where the cluster's API answers; several times for more")
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
                    api_servers=tuple(options["api_server"] or Options.api_servers),
                    settings=settings,
                )
            )
        except (BadOption, OSError) as error:
            raise CommandError(str(error)) from None


def _passwords() -> dict[str, str]:
    return {name: secrets.token_urlsafe(32) for name in ("root", "mysql", "redis", "django")}
