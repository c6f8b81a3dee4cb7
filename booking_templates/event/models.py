"""The event of this booking system: one row of content, its performances, notices and poster."""

from __future__ import annotations

from django.db import models

CONTENT_ID = 1
TEXT_MAX = 200
DESCRIPTION_MAX = 20_000


class Content(models.Model):
    """The one row, with id CONTENT_ID. `version` rises with every change of anything that buyers read, in the same transaction."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=CONTENT_ID)  # MySQL has no CHECK on an AUTO_INCREMENT
    version = models.PositiveBigIntegerField(default=1)
    title = models.CharField(max_length=TEXT_MAX)
    field = models.CharField(max_length=20)
    description = models.TextField(blank=True, default="")
    venue_name = models.CharField(max_length=TEXT_MAX)
    venue_address = models.CharField(max_length=TEXT_MAX, blank=True, default="")
    running_minutes = models.PositiveIntegerField(null=True, blank=True)
    age_limit = models.PositiveIntegerField(null=True, blank=True)
    sales_open_at = models.DateTimeField()
    sales_close_at = models.DateTimeField()
    payment = models.CharField(max_length=20)
    is_payment_test = models.BooleanField(default=False)
    has_merchandise = models.BooleanField(default=False)
    organiser = models.JSONField(null=True)
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=CONTENT_ID), name="event_content_one_row")]


class Performance(models.Model):
    id = models.CharField(max_length=40, primary_key=True)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["starts_at", "id"]


class CalledOff(models.Model):
    """A performance that its organiser called off. No part of the content, so no change of the content takes it back."""

    performance = models.CharField(max_length=40, primary_key=True)
    at = models.DateTimeField()


class Notice(models.Model):
    title = models.CharField(max_length=TEXT_MAX)
    body = models.TextField(blank=True, default="")
    is_pinned = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        ordering = ["-is_pinned", "-created_at", "-id"]


class Poster(models.Model):
    """The picture, found by its digest: a new picture has a new address, so browsers may keep the old one for ever."""

    digest = models.CharField(max_length=64, primary_key=True)
    media_type = models.CharField(max_length=20)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    image = models.BinaryField()
