from django.apps import AppConfig


class EventConfig(AppConfig):
    name = "booking_templates.event"
    label = "event"
