"""What can be asked of a running booking system: scaling, moving, holding a rollout and more. Each answers 202 with its operation."""

from __future__ import annotations

from django.utils.translation import gettext
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from controlplane import bootstrap
from controlplane.api import serializers
from controlplane.api.problems import answer
from controlplane.api.views.base import Endpoint
from controlplane.api.views.systems import accepted
from controlplane.rendering.adjustments import Autoscale
from controlplane.rendering.images import ResourcesPlan
from controlplane.runtime.errors import RuntimeFailure
from controlplane.systems import operating, reopening, rollouts
from controlplane.systems.access import Need


class Scale(Endpoint):
    def post(self, request: Request, system_id: int, service: str) -> Response:
        """Run a service as so many copies, as many as its CPU use asks for, or with other resources. What is left out stays."""
        system = self.system(system_id, Need.OWN)
        wanted = serializers.ScaleSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        asked = wanted.validated_data
        operation = operating.system_scale(
            system=system,
            service=service,
            replicas=asked.get("replicas"),
            autoscale=Autoscale(**asked["autoscale"]) if "autoscale" in asked else None,
            resources=ResourcesPlan(**asked["resources"]) if "resources" in asked else None,
            acting_user=self.user,
        )
        return accepted(operation, system)


class Move(Endpoint):
    def post(self, request: Request, system_id: int, service: str) -> Response:
        """Run a service on one node, or anywhere. For admins."""
        if not self.user.is_admin:
            raise PermissionDenied
        system = self.system(system_id, Need.OWN)
        wanted = serializers.MoveSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        try:
            operation = operating.system_move(
                system=system, service=service, node=wanted.validated_data["node"], runtime=bootstrap.runtime(), acting_user=self.user
            )
        except RuntimeFailure as failure:
            return answer(503, failure.code, gettext("The runtime does not answer: %(detail)s") % {"detail": failure.reason})
        return accepted(operation, system)


class Restart(Endpoint):
    def post(self, request: Request, system_id: int, service: str) -> Response:
        """Replace every copy of a service, without a failed request."""
        system = self.system(system_id, Need.MANAGE)
        return accepted(operating.system_restart(system=system, service=service, acting_user=self.user), system)


class RotateKeys(Endpoint):
    def post(self, request: Request, system_id: int) -> Response:
        """Put new signing keys in the place of those in use; what the old ones signed stays good until it has run out. For admins."""
        if not self.user.is_admin:
            raise PermissionDenied
        system = self.system(system_id, Need.OWN)
        return accepted(operating.system_rotate_keys(system=system, acting_user=self.user), system)


class Suspend(Endpoint):
    def post(self, request: Request, system_id: int) -> Response:
        """Let nothing run but what keeps the data; buyers find nobody until it is resumed."""
        system = self.system(system_id, Need.MANAGE)
        return accepted(operating.system_suspend(system=system, acting_user=self.user), system)


class Resume(Endpoint):
    def post(self, request: Request, system_id: int) -> Response:
        """Let a suspended booking system run again as it did."""
        system = self.system(system_id, Need.MANAGE)
        return accepted(operating.system_resume(system=system, acting_user=self.user), system)


class Restore(Endpoint):
    def post(self, request: Request, system_id: int) -> Response:
        """Put a backup back into a booking system that rests, or whose data are gone; it rests afterwards, to be resumed. For admins."""
        if not self.user.is_admin:
            raise PermissionDenied
        system = self.system(system_id, Need.OWN)
        wanted = serializers.RestoreSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        operation = reopening.system_restore(system=system, backup=wanted.validated_data["backup"], acting_user=self.user)
        return accepted(operation, system)


class PauseRollout(Endpoint):
    def post(self, request: Request, system_id: int) -> Response:
        """Hold the change that is being rolled out; what serves goes on serving, for as long as it takes. For admins."""
        if not self.user.is_admin:
            raise PermissionDenied
        system = self.system(system_id, Need.OWN)
        return accepted(rollouts.rollout_pause(system=system, acting_user=self.user), system)


class ResumeRollout(Endpoint):
    def post(self, request: Request, system_id: int) -> Response:
        """Let the change that is held go on. For admins."""
        if not self.user.is_admin:
            raise PermissionDenied
        system = self.system(system_id, Need.OWN)
        return accepted(rollouts.rollout_resume(system=system, acting_user=self.user), system)


class AbandonRollout(Endpoint):
    def post(self, request: Request, system_id: int) -> Response:
        """Give up the change that is being rolled out, held or not: the live revision comes back. For admins."""
        if not self.user.is_admin:
            raise PermissionDenied
        system = self.system(system_id, Need.OWN)
        return accepted(rollouts.rollout_abandon(system=system, acting_user=self.user), system)
