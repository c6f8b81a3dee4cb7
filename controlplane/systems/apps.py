from django.apps import AppConfig


class SystemsConfig(AppConfig):
    name = "controlplane.systems"
    default_auto_field = "django.db.models.BigAutoField"
