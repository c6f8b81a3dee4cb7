from django.apps import AppConfig


class PortalConfig(AppConfig):
    name = "controlplane.portal"
    default_auto_field = "django.db.models.BigAutoField"
