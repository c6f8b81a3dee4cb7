"""The stand-in's ledger."""

from __future__ import annotations

import secrets

from django.db import models


def new_tid() -> str:
    """20 characters, as KakaoPay's."""
    return "T" + secrets.token_hex(10).upper()[:19]


def new_aid() -> str:
    return "A" + secrets.token_hex(10).upper()[:19]


def new_page() -> str:
    return secrets.token_hex(24)


class Payment(models.Model):
    """A payment from `ready` on. `page` is the secret of its buyer's page, `pg_token` what the page hands to the approval URL."""

    tid = models.CharField(primary_key=True, max_length=20, default=new_tid)
    cid = models.CharField(max_length=10)
    partner_order_id = models.CharField(max_length=100, db_index=True)
    partner_user_id = models.CharField(max_length=100)
    item_name = models.CharField(max_length=100)
    item_code = models.CharField(max_length=100, default="", blank=True)
    quantity = models.PositiveIntegerField()
    total = models.PositiveIntegerField()
    tax_free = models.PositiveIntegerField()
    vat = models.PositiveIntegerField()
    green_deposit = models.PositiveIntegerField(default=0)
    approval_url = models.CharField(max_length=255)
    cancel_url = models.CharField(max_length=255)
    fail_url = models.CharField(max_length=255)
    method = models.CharField(max_length=5, default="MONEY")
    page = models.CharField(max_length=48, unique=True, default=new_page)
    pg_token = models.CharField(max_length=20, default="", blank=True)
    status = models.CharField(max_length=20, default="READY")
    created_at = models.DateTimeField()
    approved_at = models.DateTimeField(null=True)
    canceled_at = models.DateTimeField(null=True)
    canceled = models.PositiveIntegerField(default=0)
    canceled_tax_free = models.PositiveIntegerField(default=0)
    canceled_vat = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return self.tid


class Action(models.Model):
    """Money that moved: PAYMENT or CANCEL. Only ever added."""

    aid = models.CharField(primary_key=True, max_length=20, default=new_aid)
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="actions")
    type = models.CharField(max_length=7)
    amount = models.PositiveIntegerField()
    payload = models.CharField(max_length=200, default="", blank=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.type} {self.amount}"
