from django.apps import AppConfig


class KitConfig(AppConfig):
    name = "booking_templates.kit"
    label = "kit"
