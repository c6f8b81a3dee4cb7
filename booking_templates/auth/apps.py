from django.apps import AppConfig


class AuthConfig(AppConfig):
    name = "booking_templates.auth"
    label = "auth"
