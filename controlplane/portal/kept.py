"""What a draft names and the platform keeps for its owner: pictures of products."""

from __future__ import annotations

from controlplane.accounts.models import User
from controlplane.portal.models import DraftPicture, RequirementDraft
from controlplane.portal.requirement_form.state import FormState


def owner_of(draft: RequirementDraft) -> User:
    """Whose it will be: an admin may be the one who edits a seller's system."""
    return draft.system.seller if draft.system else draft.seller


def refer(draft: RequirementDraft, form: FormState) -> None:
    """Remember what FORM, which is DRAFT's, names: it is not forgotten while the draft stands."""
    digests = {row["picture"] for row in form.rows["products"]} - {""}
    wanted = set(owner_of(draft).pictures.filter(digest__in=digests).values_list("pk", flat=True)) if digests else set()
    known = set(DraftPicture.objects.filter(draft=draft).values_list("picture_id", flat=True))
    if known - wanted:
        DraftPicture.objects.filter(draft=draft, picture__in=known - wanted).delete()
    DraftPicture.objects.bulk_create(
        [DraftPicture(draft=draft, picture_id=picture) for picture in sorted(wanted - known)], ignore_conflicts=True
    )
