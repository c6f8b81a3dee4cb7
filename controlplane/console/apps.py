from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class ConsoleConfig(AppConfig):
    """Templates, styles and the models' pages; listed before Django's admin, whose templates it overrides."""

    name = "controlplane.console"


class ConsoleAdminConfig(AdminConfig):
    """Django's admin with our site as the default one."""

    default_site = "controlplane.console.site.ConsoleSite"
