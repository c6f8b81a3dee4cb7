import logging

from django.apps import AppConfig

log = logging.getLogger(__name__)


class JobsConfig(AppConfig):
    name = "controlplane.jobs"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from controlplane.jobs import checks

        # Few commands and no server run Django's checks, and these cost nothing.
        for message in (*checks.outside_is_reached_by_pods(), *checks.database_is_reached_by_pods()):
            log.warning("%s %s", message.msg, message.hint)
