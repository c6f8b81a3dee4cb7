"""Who runs an event together: members and invitations. An invitation is accepted on its page, by whoever is logged in there."""

from __future__ import annotations

from django.urls import reverse
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle

from controlplane.accounts.throttling import InvitationThrottle
from controlplane.api import people_serializers as shapes
from controlplane.api.views.base import Endpoint
from controlplane.systems import inviting, people
from controlplane.systems.access import Need


class Members(Endpoint):
    def get(self, request: Request, system_id: int) -> Response:
        """Who takes part beside the owner. For the owner."""
        found = people.members_of(self.system(system_id, Need.OWN))
        return Response({"results": shapes.MemberSerializer(found, many=True).data})


class Member(Endpoint):
    def patch(self, request: Request, system_id: int, user_id: int) -> Response:
        """Make a member what `role` says. For the owner."""
        system = self.system(system_id, Need.OWN)
        wanted = shapes.RoleSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        found = people.member_set(system=system, user_id=user_id, role=wanted.validated_data["role"], acting_user=self.user)
        return Response(shapes.MemberSerializer(found).data)

    def delete(self, request: Request, system_id: int, user_id: int) -> Response:
        """End somebody's part at once, and with it the links for the door that they made. For the owner, and for oneself."""
        system = self.system(system_id, Need.VIEW if user_id == self.user.pk else Need.OWN)
        people.member_remove(system=system, user_id=user_id, acting_user=self.user)
        return Response(status=204)


class Invitations(Endpoint):
    def get_throttles(self) -> list[BaseThrottle]:
        """Pages count the same."""
        throttles = list(super().get_throttles())
        return [*throttles, InvitationThrottle()] if self.request.method == "POST" else throttles

    def get(self, request: Request, system_id: int) -> Response:
        """Invitations that can still be accepted. For the owner."""
        found = inviting.open_invitations(self.system(system_id, Need.OWN))
        return Response({"results": shapes.InvitationSerializer(found, many=True).data})

    def post(self, request: Request, system_id: int) -> Response:
        """Invite the account of an e-mail address, also before there is one. For the owner.

        The link in the answer works once, within seven days, and is told only now; it is mailed where the platform sends mail. Whoever is
        invited again gets a new one, and the one of before ends.
        """
        system = self.system(system_id, Need.OWN)
        wanted = shapes.NewInvitationSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        page = request.build_absolute_uri(reverse("portal:invitation"))
        made = inviting.invite(system=system, page=page, acting_user=self.user, **wanted.validated_data)
        told = {**shapes.InvitationSerializer(made.invitation).data, "url": made.url, "is_mailed": made.is_mailed}
        return Response(told, status=201)


class Invitation(Endpoint):
    def delete(self, request: Request, system_id: int, invitation_id: int) -> Response:
        """Withdraw an invitation; one that is gone is fine. For the owner."""
        system = self.system(system_id, Need.OWN)
        inviting.invitation_withdraw(system=system, invitation_id=invitation_id, acting_user=self.user)
        return Response(status=204)
