"""A provider to sign in with, in the form and the API: the secret is named, never shown."""

from __future__ import annotations

from typing import Any

import pytest

from controlplane.portal import drafts
from controlplane.portal.models import RequirementDraft
from controlplane.systems import issuers, sealed, services
from controlplane.systems.models import SellerSecret
from tests.controlplane import areas_requirement
from tests.unit.controlplane.pages import client_of, deployed, form_data, person, text

pytestmark = pytest.mark.django_db(transaction=True)

TEXT = "sehr geheim"
TYPED = {"sign_in": "yes", "oidc_issuer": "https://id.example.com", "oidc_client_id": "clove", "oidc_name": "Example ID"}


@pytest.fixture(autouse=True)
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The issuers that were asked who they are; all are fine."""
    found: list[str] = []
    monkeypatch.setattr(issuers, "problem_with", found.append)
    return found


@pytest.fixture
def draft(seller: Any) -> Any:
    return drafts.draft_start(user=seller)


def send(client: Any, draft: Any, action: str = "check", **more: Any) -> Any:
    return client.post(f"/drafts/{draft.pk}", form_data(action=action, **{**TYPED, **more}))


def reference() -> str:
    return SellerSecret.objects.get().reference


def test_a_secret_that_was_typed_is_named_and_shown_nowhere(draft: Any, browser: Any, seller: Any, asked: list[str]) -> None:
    assert send(browser, draft, oidc_secret=TEXT).status_code == 302

    stored = RequirementDraft.objects.get()
    assert stored.form["oidc_secret_ref"] == reference()
    assert TEXT not in str(stored.form)
    assert sealed.secret_text(seller.pk, reference()) == TEXT
    for page in (f"/drafts/{draft.pk}", f"/drafts/{draft.pk}/review"):
        assert TEXT not in text(browser.get(page))
    assert "A secret is kept, encrypted, and never shown." in text(browser.get(f"/drafts/{draft.pk}"))
    assert set(asked) == {"https://id.example.com"}


def test_it_stays_kept_when_something_else_is_wrong(draft: Any, browser: Any) -> None:
    refused = send(browser, draft, oidc_secret=TEXT, title="")
    assert refused.status_code == 422
    assert (TEXT in text(refused), reference() in text(refused)) == (False, True)


def test_a_form_without_it_keeps_what_was_kept_and_it_can_be_done_without(draft: Any, browser: Any) -> None:
    send(browser, draft, oidc_secret=TEXT)
    send(browser, draft, "save", oidc_secret_ref=reference())
    assert RequirementDraft.objects.get().form["oidc_secret_ref"] == reference()

    send(browser, draft, "unsecret", oidc_secret_ref=reference())
    assert RequirementDraft.objects.get().form["oidc_secret_ref"] == ""


def test_a_draft_that_names_it_keeps_it(draft: Any, browser: Any, seller: Any) -> None:
    from django.utils import timezone

    send(browser, draft, oidc_secret=TEXT)
    SellerSecret.objects.update(given_at=timezone.now() - sealed.FORGET_AFTER * 2)
    sealed.forget_unused(seller)
    assert SellerSecret.objects.exists()
    drafts.draft_delete(draft=draft)
    sealed.forget_unused(seller)
    assert not SellerSecret.objects.exists()


def test_somebody_elses_reference_is_refused_beside_the_secret(draft: Any, browser: Any) -> None:
    other = sealed.secret_keep(owner=person("other@example.kr"), text=TEXT)
    refused = send(browser, draft, oidc_secret_ref=other.reference)
    assert (refused.status_code, 'id="oidc_secret-error"' in text(refused)) == (422, True)


@pytest.mark.parametrize(("name", "typed"), [("oidc_issuer", "id.example.com"), ("oidc_client_id", ""), ("oidc_issuer", "")])
def test_what_is_wrong_stands_beside_its_field(draft: Any, browser: Any, name: str, typed: str) -> None:
    refused = send(browser, draft, **{name: typed})
    assert (refused.status_code, f'id="{name}-error"' in text(refused)) == (422, True)


def test_the_address_to_register_is_told(draft: Any, browser: Any, seller: Any, runtime: Any) -> None:
    send(browser, draft, "save", slug="river")
    assert "river.localhost:8080/api/auth/oidc/callback" in text(browser.get(f"/drafts/{draft.pk}"))
    send(browser, draft, "save", slug="", version="2")
    assert "/api/auth/oidc/callback" not in text(browser.get(f"/drafts/{draft.pk}"))

    system = deployed(areas_requirement(sign_in={"issuer": "https://id.example.com", "client_id": "clove"}), seller, runtime)
    page = text(browser.get(f"/systems/{system.pk}"))
    assert f"{system.public_url}/api/auth/oidc/callback" in page
    assert "id.example.com" in page


def test_editing_brings_it_back_and_a_change_is_told_in_the_review(seller: Any, runtime: Any, browser: Any) -> None:
    kept = sealed.secret_keep(owner=seller, text=TEXT)
    sign_in = {"issuer": "https://id.example.com", "client_id": "clove", "client_secret_ref": kept.reference}
    system = deployed(areas_requirement(sign_in=sign_in), seller, runtime)
    draft = drafts.draft_of_system(user=seller, system=system)
    form = drafts.form_of(draft)

    assert (form["sign_in"], form["oidc_client_id"], form["oidc_secret_ref"]) == ("yes", "clove", kept.reference)
    assert drafts.draft_check(draft).requirement["sign_in"] == sign_in
    form.values["oidc_client_id"] = "other"
    drafts.draft_save(draft=draft, form=form, version=draft.version)
    assert "Client ID" in text(browser.get(f"/drafts/{draft.pk}/review"))


def test_a_program_keeps_a_secret_and_names_it(seller: Any, other: Any) -> None:
    client = client_of(seller)
    made = client.post("/api/v1/secrets", {"secret": TEXT}, content_type="application/json")
    assert (made.status_code, made.json()) == (201, {"reference": reference()})

    sign_in = {"issuer": "https://id.example.com", "client_id": "clove", "client_secret_ref": reference()}
    system = services.system_create(requirement=areas_requirement(sign_in=sign_in), acting_user=seller)
    shown = client.get(f"/api/v1/systems/{system.pk}/requirement")
    assert shown.json()["sign_in"] == sign_in
    assert TEXT not in text(shown)
    assert (
        other.post("/api/v1/systems", {"requirement": areas_requirement(slug="x", sign_in=sign_in)}, "application/json").status_code == 422
    )


@pytest.mark.parametrize("body", [{}, {"secret": ""}, {"secret": "x" * 1_001}, {"secret": "a\nb"}, {"secret": ["a"]}])
def test_what_is_no_secret_is_a_422(seller: Any, body: Any) -> None:
    answer = client_of(seller).post("/api/v1/secrets", body, content_type="application/json")
    assert (answer.status_code, list(answer.json()["errors"])) == (422, ["secret"])
    assert client_of(person("third@example.kr")).get("/api/v1/secrets").status_code == 405
