"""A draft that was begun before a live edit: deploying it must not undo the edit."""

from __future__ import annotations

from typing import Any

import pytest

from controlplane.portal import drafts
from controlplane.runtime.errors import QuotaFull
from controlplane.systems import event_page, operating, services, shop
from controlplane.systems.converge import converge
from controlplane.systems.errors import GenerationConflict
from tests.controlplane import numbered_requirement

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def draft(numbered: Any, seller: Any) -> Any:
    return drafts.draft_of_system(user=seller, system=numbered)


def edited(system: Any, seller: Any, text: str = "고친 글") -> None:
    event_page.description_edit(system=system, description=text, acting_user=seller)


def test_what_was_edited_live_is_in_the_form_and_deploys(numbered: Any, seller: Any, draft: Any) -> None:
    edited(numbered, seller)
    shop.stock_edit(system=numbered, stock={"program": 60}, acting_user=seller)

    followed = drafts.draft_for(seller, draft.pk)
    form = drafts.form_of(followed)

    assert (form["description"], form.rows["products"][0]["stock"]) == ("고친 글", "60")
    assert followed.version > draft.version
    drafts.draft_deploy(draft=followed, user=seller)
    numbered.refresh_from_db()
    assert numbered.requirement.data["description"] == "고친 글"
    assert numbered.requirement.data["products"][0]["stock"] == 60


def test_what_was_typed_meanwhile_stays_typed(numbered: Any, seller: Any, draft: Any) -> None:
    form = drafts.form_of(draft)
    form.values["description"] = "selbst getippt"
    drafts.draft_save(draft=draft, form=form, version=draft.version)
    edited(numbered, seller)

    assert drafts.form_of(drafts.draft_for(seller, draft.pk))["description"] == "selbst getippt"


def test_a_tab_that_is_still_open_does_not_overwrite_it_unseen(numbered: Any, seller: Any, draft: Any) -> None:
    old = drafts.form_of(draft)
    edited(numbered, seller)
    followed = drafts.draft_for(seller, draft.pk)

    with pytest.raises(drafts.DraftChanged):
        drafts.draft_save(draft=followed, form=old, version=draft.version)


def test_any_other_change_is_still_a_conflict(numbered: Any, seller: Any, draft: Any) -> None:
    services.system_update(system=numbered, requirement=numbered_requirement(title="neu"), acting_user=seller)

    with pytest.raises(GenerationConflict):
        drafts.draft_deploy(draft=drafts.draft_for(seller, draft.pk), user=seller)


def test_what_leaves_the_requirement_as_it_is_leaves_the_draft_as_it_is(numbered: Any, seller: Any, draft: Any, runtime: Any) -> None:
    operating.system_restart(system=numbered, service="web", acting_user=seller)
    edited(numbered_after(numbered, runtime), seller)
    operating.system_suspend(system=numbered, acting_user=seller)
    numbered_after(numbered, runtime)
    operating.system_resume(system=numbered, acting_user=seller)

    followed = drafts.draft_for(seller, draft.pk)
    assert drafts.form_of(followed)["description"] == "고친 글"
    drafts.draft_deploy(draft=followed, user=seller)


def test_another_try_of_what_the_form_says_already_is_no_conflict(numbered: Any, seller: Any, runtime: Any) -> None:
    runtime.raises("preview", QuotaFull("no room"))
    services.system_update(system=numbered, requirement=numbered_requirement(title="neu"), acting_user=seller)
    draft = drafts.draft_of_system(user=seller, system=numbered_after(numbered, runtime))
    services.system_retry(system=numbered, acting_user=seller)

    drafts.draft_deploy(draft=drafts.draft_for(seller, draft.pk), user=seller)


def test_after_a_conflict_what_was_typed_can_be_deployed_once_it_was_looked_at(
    numbered: Any, seller: Any, draft: Any, browser: Any
) -> None:
    services.system_update(system=numbered, requirement=numbered_requirement(title="by the API"), acting_user=seller)
    review, deploy = f"/drafts/{draft.pk}/review", f"/drafts/{draft.pk}/deploy"

    assert browser.post(deploy, {"generation": draft.system_generation})["Location"] == review
    page = browser.get(review).content.decode()
    numbered.refresh_from_db()
    assert "changed after you began this draft" in page
    assert "by the API" in page
    assert f'name="generation" value="{numbered.generation}"' in page
    assert browser.post(deploy, {"generation": numbered.generation})["Location"] == f"/systems/{numbered.pk}"
    numbered.refresh_from_db()
    assert numbered.title == "작은 뮤지컬"


def numbered_after(system: Any, runtime: Any) -> Any:
    """SYSTEM once a worker has looked."""
    for _ in range(4):
        converge(system.pk, runtime=runtime)
    system.refresh_from_db()
    return system
