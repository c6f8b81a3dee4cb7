"""Pictures of a draft's products: kept as soon as they are chosen, shown beside the form."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from controlplane.accounts.models import User
from controlplane.portal import kept, uploads
from controlplane.portal.http import AuthenticatedRequest
from controlplane.portal.models import RequirementDraft
from controlplane.portal.speech import say_reason
from controlplane.portal.views.drafts import with_draft
from controlplane.systems.errors import PictureRefused
from controlplane.systems.pictures import picture_bytes

FOR_EVER = "private, max-age=31536000, immutable"


@require_POST
@with_draft
def upload(request: AuthenticatedRequest, draft: RequirementDraft) -> HttpResponse:
    """Keep the picture in `picture`; the form names it by the digest in the answer."""
    file = request.FILES.get("picture")
    try:
        picture = uploads.kept(kept.owner_of(draft), None if isinstance(file, list) else file)
    except PictureRefused as error:
        return JsonResponse({"code": error.reason.code, "message": say_reason(error.reason)}, status=422)
    return JsonResponse({"digest": picture.digest, "url": reverse("portal:draft-picture", args=[draft.pk, picture.digest])})


@require_GET
@with_draft
def image(request: HttpRequest, draft: RequirementDraft, digest: str) -> HttpResponse:
    """One of the pictures that the draft's owner has."""
    return picture_response(kept.owner_of(draft), digest)


def picture_response(owner: User, digest: str) -> HttpResponse:
    """OWNER's picture for a page of the portal; a browser that opens it alone runs nothing in it."""
    found = picture_bytes(owner, digest)
    if found is None:
        raise Http404
    headers = {"Cache-Control": FOR_EVER, "Content-Security-Policy": "default-src 'none'; sandbox"}
    return HttpResponse(found[1], content_type=found[0], headers=headers)
