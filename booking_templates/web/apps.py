from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "booking_templates.web"
    label = "web"
