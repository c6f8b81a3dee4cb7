from django.apps import AppConfig


class MerchConfig(AppConfig):
    name = "booking_templates.merch"
    label = "merch"
