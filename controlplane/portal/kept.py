"""What a draft names and the platform keeps for its owner: pictures of products, the secret of a provider to sign in with."""

from __future__ import annotations

from controlplane.accounts.models import User
from controlplane.portal.models import DraftPicture, DraftSecret, RequirementDraft
from controlplane.portal.requirement_form.state import FormState


def owner_of(draft: RequirementDraft) -> User:
    """Whose it will be: an admin may be the one who edits a seller's system."""
    return draft.system.seller if draft.system else draft.seller


def refer(draft: RequirementDraft, form: FormState) -> None:
    """Remember what FORM, which is DRAFT's, names: it is not forgotten while the draft stands."""
    owner = owner_of(draft)
    digests = {row["picture"] for row in form.rows["products"]} - {""}
    pictures = set(owner.pictures.filter(digest__in=digests).values_list("pk", flat=True)) if digests else set()
    known = set(DraftPicture.objects.filter(draft=draft).values_list("picture_id", flat=True))
    if known - pictures:
        DraftPicture.objects.filter(draft=draft, picture__in=known - pictures).delete()
    DraftPicture.objects.bulk_create(
        [DraftPicture(draft=draft, picture_id=picture) for picture in sorted(pictures - known)], ignore_conflicts=True
    )
    secret = owner.secrets.filter(reference=form["oidc_secret_ref"]).first() if form["oidc_secret_ref"] else None
    DraftSecret.objects.filter(draft=draft).exclude(secret=secret).delete()
    if secret:
        DraftSecret.objects.get_or_create(draft=draft, secret=secret)
