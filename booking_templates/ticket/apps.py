from django.apps import AppConfig


class TicketConfig(AppConfig):
    name = "booking_templates.ticket"
    label = "ticket"
