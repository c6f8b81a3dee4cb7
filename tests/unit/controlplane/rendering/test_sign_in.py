"""A provider to sign in with: what may be asked for, and what the auth service is told of it."""

from __future__ import annotations

from typing import Any

import pytest

from booking_templates import catalog
from controlplane.rendering.choose import choose
from controlplane.rendering.images import from_labels
from controlplane.rendering.plan import Platform, Site, from_json, make_plan
from controlplane.rendering.render import render
from controlplane.rendering.requirement import Requirement, validate
from controlplane.rendering.sign_in import is_issuer
from tests.controlplane import areas_requirement

REFERENCE = "ab" * 16
SIGN_IN = {"issuer": "https://id.example.com/o", "client_id": "clove", "name": "Example ID", "client_secret_ref": REFERENCE}
POOL = [from_labels(ref=image.ref, labels=image.labels) for image in catalog.IMAGES]
SITE = Site(system_id=7, namespace="clove-7", seller="1", slug="river", host="river.localhost", public_url="http://river.localhost:8080")


def read(sign_in: Any) -> Requirement:
    found = validate(areas_requirement(sign_in=sign_in))
    assert isinstance(found, Requirement), found
    return found


def planned(sign_in: Any, **config: dict[str, str]) -> Any:
    wanted = read(sign_in)
    platform = Platform("Asia/Seoul", "ko", config, "gateway", "clove")
    return make_plan(wanted, choose(POOL, wanted.facts).images, site=SITE, platform=platform)


def rendered(plan: Any, kind: str, name: str) -> Any:
    return next(item for item in render(plan) if (item["kind"], item["metadata"]["name"]) == (kind, name))


@pytest.mark.parametrize(
    "address",
    ["https://accounts.google.com", "https://id.example.com/realms/a", "https://id.example.com:443/", "http://127.0.0.1:9000/o"],
)
def test_an_issuer_is_an_https_address_or_one_of_this_machine(address: str) -> None:
    assert is_issuer(address)


@pytest.mark.parametrize(
    "address",
    [
        "id.example.com",
        "http://id.example.com",
        "https://",
        "https://id.example.com:8443",
        "https://id.example.com/?a=b",
        "https://id.example.com/?",
        "https://id.example.com/#a",
        "https://user:pw@id.example.com",
        "https://id.example.com\\@10.0.0.1",
        "http://localhost",
        "https://id.example.com:99999",
        "https://[::1",
        "https://아이디.kr",
        "https://id.example.com/a b",
        "javascript:alert(1)",
        "file:///etc/passwd",
    ],
)
def test_anything_else_is_no_issuer(address: str) -> None:
    assert not is_issuer(address)
    problems = validate(areas_requirement(sign_in={"issuer": address, "client_id": "clove"}))
    assert isinstance(problems, list)
    assert {problem.path for problem in problems} == {"sign_in.issuer"}


@pytest.mark.parametrize(
    ("sign_in", "path"),
    [
        ("google", "sign_in"),
        ({"client_id": "clove"}, "sign_in.issuer"),
        ({"issuer": "https://id.example.com"}, "sign_in.client_id"),
        (SIGN_IN | {"client_secret_ref": "the secret itself"}, "sign_in.client_secret_ref"),
        (SIGN_IN | {"client_secret": "the secret itself"}, "sign_in.client_secret"),
        (SIGN_IN | {"name": "x" * 41}, "sign_in.name"),
    ],
)
def test_bad_entries_are_named(sign_in: Any, path: str) -> None:
    problems = validate(areas_requirement(sign_in=sign_in))
    assert isinstance(problems, list)
    assert [problem.path for problem in problems] == [path]
    assert "the secret itself" not in str([problem.params for problem in problems])


def test_it_comes_back_as_it_was_asked_for() -> None:
    wanted = read(SIGN_IN)
    assert wanted.to_json()["sign_in"] == SIGN_IN
    assert validate(wanted.to_json()) == wanted
    assert wanted.summary()["sign_in"] == "Example ID"
    assert read({"issuer": "https://id.example.com", "client_id": "c"}).summary()["sign_in"] == "id.example.com"


def test_the_auth_service_alone_is_told_and_may_call_there() -> None:
    plan = planned(SIGN_IN)
    auth = plan.service("auth")

    assert {name: value for name, value in auth.env.items() if "OIDC" in name} == {
        "CLOVE_OIDC_ISSUER": SIGN_IN["issuer"],
        "CLOVE_OIDC_CLIENT_ID": "clove",
        "CLOVE_OIDC_NAME": "Example ID",
    }
    assert auth.secret_files["oidc-client-secret"] == f"sign-in:{REFERENCE}"
    assert [service.name for service in plan.services if service.calls_outside or "OIDC" in str(service.env)] == ["auth", "ticket"]
    assert from_json(plan.to_json()) == plan
    assert "ipBlock" in str(rendered(plan, "NetworkPolicy", "auth"))
    mounted = rendered(plan, "Deployment", "auth")["spec"]["template"]["spec"]["volumes"]
    assert {"name": "secrets", "secret": {"secretName": "auth-secrets", "defaultMode": 288}} in mounted


def test_who_may_be_inside_is_told_with_a_provider_and_never_without() -> None:
    told = {"sign-in": {"CLOVE_OIDC_PRIVATE": "yes"}}
    assert planned(SIGN_IN, **told).service("auth").env["CLOVE_OIDC_PRIVATE"] == "yes"
    without = planned(None, **told).service("auth")
    assert "CLOVE_OIDC_PRIVATE" not in without.env
    assert not without.calls_outside


def test_another_secret_replaces_the_pods_of_auth_and_no_others() -> None:
    def templates(reference: str) -> dict[str, Any]:
        objects = render(planned(SIGN_IN | {"client_secret_ref": reference}))
        return {item["metadata"]["name"]: item["spec"]["template"] for item in objects if item["kind"] == "Deployment"}

    before, after = templates(REFERENCE), templates("cd" * 16)
    assert [name for name in before if before[name] != after[name]] == ["auth"]


def test_without_a_secret_it_is_a_public_client() -> None:
    auth = planned({key: value for key, value in SIGN_IN.items() if key != "client_secret_ref"}).service("auth")
    assert "oidc-client-secret" not in auth.secret_files
    assert auth.env["CLOVE_OIDC_ISSUER"] == SIGN_IN["issuer"]


def test_without_a_provider_nothing_is_said_of_one() -> None:
    plan = planned(None)
    assert "oidc" not in str(render(plan)).lower()
    assert "oidc-client-secret" not in plan.service("auth").secret_files
    assert not plan.service("auth").calls_outside
