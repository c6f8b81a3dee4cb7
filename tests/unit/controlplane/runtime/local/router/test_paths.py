import pytest

from controlplane.runtime.local.router.paths import Passage, passage


@pytest.mark.parametrize(
    "path",
    [
        b"/",
        b"/api/seat/performances/p1/availability",
        b"/static/app.3f2a.js",
        b"/internally",
        b"/api/seat/internal",
        b"/.well-known/security.txt",
        b"/%EC%98%88%EB%A7%A4",
        b"/a//b",
        b"/a;b=c",
        b"/...",
        b"/metricsx",
        b"/%2525",
    ],
)
def test_open_paths_pass(path: bytes) -> None:
    assert passage(path) is Passage.OPEN


@pytest.mark.parametrize(
    "path",
    [
        b"/internal",
        b"/internal/",
        b"/internal/holds/1",
        b"//internal/holds",
        b"///internal",
        b"/INTERNAL/holds",
        b"/Metrics",
        b"/metrics/",
        b"/%69nternal/holds",
        b"/%2569nternal",
        b"//%6detrics",
        b"/internal;x=1/holds",
        b"/internal%20/holds",
    ],
)
def test_hidden_paths_are_seen_through_their_disguises(path: bytes) -> None:
    assert passage(path) is Passage.HIDDEN


@pytest.mark.parametrize(
    "path",
    [
        b"/..",
        b"/../internal",
        b"/a/../internal",
        b"/a/./b",
        b"/.",
        b"/a/%2e%2e/internal",
        b"/a/.%2E/internal",
        b"/a/%252e%252e/internal",
        b"/a/..;/internal",
        b"/a%2finternal",
        b"/a%5c..%5cinternal",
        b"/a\\..\\internal",
        b"/a%00",
        b"/a%",
        b"/a%zz",
    ],
)
def test_ambiguous_paths_do_not_pass(path: bytes) -> None:
    assert passage(path) is Passage.AMBIGUOUS
