"""Booking systems, what was asked of them, and what was done. Data, cheap properties and constraints.

The rules are in services.py, which writes what is wanted, and converge.py, which makes it so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from controlplane.rendering.sign_in import CALLBACK
from controlplane.runtime.port import SystemRef
from controlplane.systems.archive_models import Archive, ArchiveRow
from controlplane.systems.caps_models import SellerCaps
from controlplane.systems.kept_models import Picture, SellerSecret
from controlplane.systems.people_models import DoorLinkToEnd, Invitation, MemberRole, Membership
from controlplane.systems.platform_models import Platform, platform_mark

if TYPE_CHECKING:
    from controlplane.systems.access import Access

__all__ = [
    "Archive",
    "ArchiveRow",
    "BookingSystem",
    "Desired",
    "DoorLinkToEnd",
    "Invitation",
    "MemberRole",
    "Membership",
    "Operation",
    "OperationStep",
    "Picture",
    "Platform",
    "Requirement",
    "Revision",
    "SellerCaps",
    "SellerSecret",
    "State",
    "SystemSecret",
]


class State(models.TextChoices):
    """Where a booking system stands, for people."""

    DRAFT = "draft", _("Draft")
    DEPLOYING = "deploying", _("Deploying")
    LIVE = "live", _("Live")
    SUSPENDED = "suspended", _("Suspended")
    DATA_GONE = "data_gone", _("Data gone")
    FAILED = "failed", _("Failed")
    DELETING = "deleting", _("Deleting")
    DELETED = "deleted", _("Deleted")


class Desired(models.TextChoices):
    """What the seller wants of it."""

    DRAFT = "draft", _("Draft")
    LIVE = "live", _("Live")
    DELETED = "deleted", _("Deleted")


class Immutable(models.Model):
    """Rows that are written once; a second `save` is a bug and raises TypeError."""

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise TypeError(f"a {self._meta.verbose_name} is never changed once written")
        super().save(*args, **kwargs)


class BookingSystem(models.Model):
    """One event's own booking system.

    Desired: `desired_state`, `requirement`, `generation` (bumped by every wish). Observed: the rest. `state` is live while the live
    revision serves, also during an update and after one that failed; `reason` then says why it failed.
    """

    seller = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="systems")
    # NULL once deleted: the name is free for another event then. (A condition on the constraint is more than MySQL can do.)
    slug = models.CharField(max_length=40, unique=True, null=True)  # noqa: DJ001
    title = models.CharField(max_length=200)
    desired_state = models.CharField(max_length=10, choices=Desired.choices, default=Desired.DRAFT)
    generation = models.PositiveIntegerField(default=0)
    requirement = models.ForeignKey("Requirement", null=True, on_delete=models.PROTECT, related_name="+")
    adjustments = models.JSONField(default=dict, blank=True)
    """What is asked of it beyond the requirement; see rendering/adjustments.py."""

    observed_generation = models.PositiveIntegerField(default=0)
    state = models.CharField(max_length=10, choices=State.choices, default=State.DRAFT, db_index=True)
    reason_code = models.CharField(max_length=60, blank=True)
    reason = models.TextField(blank=True)
    reason_params = models.JSONField(default=dict, blank=True)
    health = models.CharField(max_length=20, blank=True)
    """The runtime's `Health` when it was last looked at."""
    health_message = models.TextField(blank=True)
    health_workloads = models.JSONField(default=list, blank=True)
    """Each service as it was then, as in `OperationStep.progress`."""
    live_revision = models.ForeignKey("Revision", null=True, on_delete=models.PROTECT, related_name="+")
    content_given = models.JSONField(default=dict, blank=True)
    """Service -> digest of the content that it was given last."""
    content_live = models.JSONField(default=dict, blank=True)
    """The same as it was when the last change succeeded; what a failed change gave beyond it is taken back."""
    live_fingerprint = models.CharField(max_length=64, blank=True)
    """The runtime's fingerprint of the live revision with its secrets."""
    leaves_drift = models.BooleanField(default=False, db_default=False)
    """What somebody changes by hand stays until the next change, for an admin said so; else it is put right."""
    old_keys_until = models.DateTimeField(null=True)
    """Until when keys are trusted that sign no more; None: there are none, or some service may still sign with one."""
    data_marks = models.JSONField(null=True, blank=True)
    """What its data were in when it was last seen well; see data_loss.py."""
    backup = models.JSONField(null=True, blank=True)
    """How its backups went when it was last looked at, as the runtime's `Backup`; see backups.py."""
    conflict = models.JSONField(null=True, blank=True)
    """Who keeps it from being applied, and whether they are overruled; see conflicts.py."""
    poster = models.JSONField(null=True, blank=True)
    """The event service's poster when it was last seen: `path` on the buyer site, `width`, `height`, `bytes`. See event_page.py."""
    connect_url = models.URLField(blank=True)
    connect_host = models.CharField(max_length=255, blank=True)

    # What it counts of what its seller may have (caps.py); None: an older version wrote the row, and nobody asked since.
    used_systems = models.PositiveIntegerField(null=True)
    used_cpu_m = models.PositiveIntegerField(null=True)
    used_memory_mib = models.PositiveIntegerField(null=True)

    # The lease: one converge at a time. `wakes` counts those that came while it was held, so that none is lost.
    lease_owner = models.CharField(max_length=120, blank=True)
    lease_until = models.DateTimeField(null=True)
    wakes = models.PositiveIntegerField(default=0)
    attempts = models.PositiveIntegerField(default=0)
    """Passing failures in a row; sets the backoff."""
    repairs = models.PositiveIntegerField(default=0, db_default=0)
    """How often it was put right again of late; sets for how long what is wrong then is only shown."""
    not_before = models.DateTimeField(null=True)
    """Not before then is it put right again, or a runtime asked again that said so; None once somebody asks for something."""
    next_check_at = models.DateTimeField(null=True, db_index=True)

    created_at = models.DateTimeField(default=timezone.now, editable=False)
    live_at = models.DateTimeField(null=True)
    deleted_at = models.DateTimeField(null=True)

    access: Access | None = None
    """What its reader may do with it, where it was read for somebody; no column. See access.py."""

    class Meta:
        verbose_name = _("booking system")
        verbose_name_plural = _("booking systems")
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.title

    @property
    def namespace(self) -> str:
        return f"clove-{self.pk}"

    @property
    def ref(self) -> SystemRef:
        return SystemRef(self.pk, self.namespace, seller=str(self.seller_id), platform=platform_mark())

    @property
    def host(self) -> str:
        """Host name of the buyer site; empty once deleted."""
        return f"{self.slug}.{settings.BASE_DOMAIN}" if self.slug else ""

    @property
    def public_url(self) -> str:
        """Address of the buyer site, without a slash at the end; empty once deleted."""
        if not self.slug:
            return ""
        default = {"http": 80, "https": 443}[settings.PUBLIC_SCHEME]
        port = "" if default == settings.PUBLIC_PORT else f":{settings.PUBLIC_PORT}"
        return f"{settings.PUBLIC_SCHEME}://{self.host}{port}"

    @property
    def sign_in_redirect_uri(self) -> str:
        """What a provider that buyers sign in with must be told of this system; empty once deleted."""
        return self.public_url + CALLBACK if self.slug else ""

    @property
    def is_live(self) -> bool:
        return self.state == State.LIVE


class Requirement(Immutable):
    """What a seller asked for, as validated and normalised. `data` may be megabytes (the seating plan): defer it in lists."""

    system = models.ForeignKey(BookingSystem, on_delete=models.CASCADE, related_name="requirements")
    number = models.PositiveIntegerField()
    data = models.JSONField()
    summary = models.JSONField()
    """What lists show of it; see `rendering.Requirement.summary`."""
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("requirement")
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["system", "number"], name="requirement_number")]

    def __str__(self) -> str:
        return f"{self.system_id}#{self.number}"


class Revision(Immutable):
    """One requirement, the plan made from it and the rendered manifests, which hold no secret."""

    system = models.ForeignKey(BookingSystem, on_delete=models.CASCADE, related_name="revisions")
    number = models.PositiveIntegerField()
    requirement = models.ForeignKey(Requirement, on_delete=models.PROTECT, related_name="revisions")
    plan = models.JSONField()
    manifests = models.JSONField()
    """The objects in the order they are applied."""
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("revision")
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["system", "number"], name="revision_number")]

    def __str__(self) -> str:
        return f"{self.system_id} r{self.number}"


class Operation(models.Model):
    """One wish of a seller being carried out, with its steps. At most one of a system is running."""

    class Kind(models.TextChoices):
        DEPLOY = "deploy", _("Deploy")
        UPDATE = "update", _("Update")
        ROLLBACK = "rollback", _("Roll back")
        SCALE = "scale", _("Scale")
        MOVE = "move", _("Move")
        RESTART = "restart", _("Restart")
        ROTATE = "rotate", _("Change keys")
        SUSPEND = "suspend", _("Suspend")
        RESUME = "resume", _("Resume")
        RESTORE = "restore", _("Restore a backup")
        REOPEN = "reopen", _("Open without its data")
        DELETE = "delete", _("Delete")
        EDIT = "edit", _("Edit while live")

    class State(models.TextChoices):
        RUNNING = "running", _("Running")
        SUCCEEDED = "succeeded", _("Succeeded")
        FAILED = "failed", _("Failed")
        SUPERSEDED = "superseded", _("Superseded")

    system = models.ForeignKey(BookingSystem, on_delete=models.CASCADE, related_name="operations")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    state = models.CharField(max_length=10, choices=State.choices, default=State.RUNNING)
    generation = models.PositiveIntegerField()
    requirement = models.ForeignKey(Requirement, null=True, on_delete=models.PROTECT, related_name="+")
    revision = models.ForeignKey(Revision, null=True, on_delete=models.PROTECT, related_name="operations")
    fingerprint = models.CharField(max_length=64, blank=True)
    """The runtime's fingerprint of what it applied."""
    rollback_to = models.ForeignKey(Revision, null=True, on_delete=models.PROTECT, related_name="+")
    reason_code = models.CharField(max_length=60, blank=True)
    reason = models.TextField(blank=True)
    reason_params = models.JSONField(default=dict, blank=True)
    result = models.JSONField(default=dict, blank=True)
    """What it leaves for later: the changes of the preview, the sales summary of a deleted system, the patch of an edit."""
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    started_at = models.DateTimeField(default=timezone.now, editable=False)
    progress_at = models.DateTimeField(default=timezone.now)
    """When something last moved; it fails when nothing moves for too long."""
    ended_at = models.DateTimeField(null=True)
    paused_at = models.DateTimeField(null=True)
    """Since when its rollout is held; None while it goes on."""
    paused_s = models.PositiveIntegerField(default=0, db_default=0)
    """How long it was held before, in all: that time counts against no deadline."""

    class Meta:
        verbose_name = _("operation")
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["system", "generation"], name="operation_generation")]

    def __str__(self) -> str:
        return f"{self.kind} {self.system_id} g{self.generation} {self.state}"

    @property
    def is_running(self) -> bool:
        return self.state == self.State.RUNNING

    @property
    def is_paused(self) -> bool:
        return self.is_running and self.paused_at is not None


class OperationStep(models.Model):
    """One step of an operation, as it happens.

    `progress` is what a page draws: `{"workloads": [{"name", "health", "ready", "updated", "wanted", "reason", "message", "nodes"}]}`.
    """

    class State(models.TextChoices):
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")

    operation = models.ForeignKey(Operation, on_delete=models.CASCADE, related_name="steps")
    name = models.CharField(max_length=20)
    state = models.CharField(max_length=10, choices=State.choices, default=State.RUNNING)
    message_code = models.CharField(max_length=60, blank=True)
    message = models.TextField(blank=True)
    message_params = models.JSONField(default=dict, blank=True)
    progress = models.JSONField(default=dict, blank=True)
    started_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("step")
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["operation", "name"], name="operation_step_name")]

    def __str__(self) -> str:
        return f"{self.name} {self.state}"


class SystemSecret(models.Model):
    """One Secret of a booking system: file name -> text, encrypted. Generated once, never in a revision."""

    system = models.ForeignKey(BookingSystem, on_delete=models.CASCADE, related_name="secrets")
    name = models.CharField(max_length=63)
    sealed = models.BinaryField()
    """A Fernet token over the JSON of the files."""
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("secret")
        constraints = [models.UniqueConstraint(fields=["system", "name"], name="system_secret_name")]

    def __str__(self) -> str:
        return f"{self.system_id} {self.name}"
