"""Routes of the buyers' pages. `web` has no API of its own."""

from __future__ import annotations

from django.urls import URLPattern, path

from booking_templates.web import assets, errors, language, views
from booking_templates.web.views import page

urlpatterns: list[URLPattern] = []

pages = [
    page("", views.event),
    page("performances/<str:performance_id>", views.performance),
    page("checkout/<str:hold_id>", views.checkout),
    page("orders", views.orders),
    page("orders/<str:order_id>", views.order),
    page("tickets/<str:ticket_id>", views.ticket),
    page("signup", views.signup),
    page("login", views.login),
    page("forgot-password", views.forgot_password),
    page("reset-password", views.reset_password),
    page("account", views.account),
    page("shop", views.shop),
    page("shop/orders/<str:order_id>", views.shop_order),
    path("lang/<str:code>", language.switch),
    path("static/<str:version>/<path:name>", assets.serve),
    path("favicon.ico", assets.favicon),
]

handler404 = errors.not_found
handler500 = errors.server_error
