"""What runtimes say, on a Korean page: known by its shape, and untouched where it is not."""

from __future__ import annotations

import pytest
from django.utils import translation

from controlplane.portal.speech import say
from controlplane.systems.runtime_words import say_drift, say_runtime


@pytest.mark.parametrize(
    ("said", "korean"),
    [
        ("Container seat ended with exit code 1.", "seat 컨테이너가 종료 코드 1(으)로 끝났습니다."),
        ("Container seat was killed by SIGKILL, 3 times in a row.", "seat 컨테이너가 SIGKILL 신호로 종료되었습니다 (3번 연속)."),
        (
            "auth: Container auth ended with exit code 1. Its last lines:\nKeyError: 'X'.",
            "회원: auth 컨테이너가 종료 코드 1(으)로 끝났습니다. 마지막 줄:\nKeyError: 'X'.",
        ),
        ("Container seat: no answer on /readyz within 2 s.", "seat 컨테이너: /readyz에서 2초 안에 답이 없습니다."),
        (
            "Not ready after 60 s. Container seat: /readyz answered 503.",
            "60초가 지나도 준비되지 않았습니다. seat 컨테이너: /readyz이(가) 503(으)로 답했습니다.",
        ),
        ("The image clove/x:1 was not found.", "clove/x:1 이미지를 찾을 수 없습니다."),
        (
            "The cluster does not accept Clove's credentials: they are wrong or have expired.",
            "클러스터가 Clove의 자격 증명을 받아들이지 않습니다: 잘못되었거나 만료되었습니다.",
        ),
        (
            "It does not scale by itself, for nothing measures what it uses (FailedGetResourceMetric): no metrics returned",
            "자동으로 늘거나 줄지 않습니다. 사용량을 재는 것이 없습니다 (FailedGetResourceMetric): no metrics returned",
        ),
        ("It does not scale by itself (FailedGetScale): not found.", "자동으로 늘거나 줄지 않습니다 (FailedGetScale): not found."),
        ("seat: Its node n2 does not report any more.", "좌석: 노드 n2의 응답이 끊겼습니다."),
        (
            "The Gateway clove does not lead buyers here: No listener is for this host name.",
            "게이트웨이 clove이(가) 구매자를 이리로 보내지 않습니다: No listener is for this host name.",
        ),
        ("0/3 nodes are available: cordoned", "0/3 nodes are available: cordoned"),
        ("100% %(name)s", "100% %(name)s"),
        ("", ""),
        (None, ""),
    ],
)  # fmt: skip
def test_it_is_said_in_korean(said: str | None, korean: str) -> None:
    with translation.override("ko"):
        assert say_runtime(said) == korean


def test_what_drifted_is_said_an_object_after_the_other() -> None:
    with translation.override("ko"):
        said = say_drift("Deployment seat was changed by kubectl-edit. Service web is gone.")
        assert said == "Deployment seat을(를) kubectl-edit이(가) 바꾸었습니다. Service web이(가) 없어졌습니다."
        assert say_drift("") == ""
        assert say_drift("Not Clove's: Pod dbg, Job once.") == "Clove가 만들지 않은 것: Pod dbg, Job once."
        assert say_runtime("ConfigMap extra belongs to helm.") == "ConfigMap extra은(는) helm의 것입니다."


def test_in_english_it_stays_as_it_was() -> None:
    with translation.override("en"):
        assert say_runtime("Container seat ended with exit code 1.") == "Container seat ended with exit code 1."


def test_a_reason_carries_it_along() -> None:
    with translation.override("ko"):
        assert "seat 컨테이너가 끝났습니다." in say("workload_failed", {"service": "seat", "message": "Container seat ended."})
