from controlplane.runtime.diff import field_changes, object_changes
from controlplane.runtime.port import ChangeKind, FieldChange


def _deployment(**spec: object) -> dict[str, object]:
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "seat"}, "spec": spec}


def test_equal_objects_make_no_change() -> None:
    assert object_changes([_deployment(replicas=1)], [_deployment(replicas=1)]) == []


def test_a_new_version_of_an_api_is_an_update_and_not_another_object() -> None:
    before = {"apiVersion": "gateway.networking.k8s.io/v1beta1", "kind": "HTTPRoute", "metadata": {"name": "booking"}}
    after = before | {"apiVersion": "gateway.networking.k8s.io/v1"}

    (change,) = object_changes([before], [after])

    assert change.kind is ChangeKind.UPDATE
    assert change.fields[0].path == "apiVersion"


def test_created_and_updated_objects_come_in_their_order_and_deleted_ones_last() -> None:
    gone = {"kind": "Service", "metadata": {"name": "merch"}}
    new = {"kind": "Service", "metadata": {"name": "seat"}}

    changes = object_changes([gone, _deployment(replicas=1)], [new, _deployment(replicas=2)])

    assert [(change.kind, change.name) for change in changes] == [
        (ChangeKind.CREATE, "seat"),
        (ChangeKind.UPDATE, "seat"),
        (ChangeKind.DELETE, "merch"),
    ]


def test_members_with_names_are_compared_by_name() -> None:
    before = {"containers": [{"name": "seat", "image": "a"}, {"name": "side", "image": "x"}]}
    after = {"containers": [{"name": "side", "image": "x"}, {"name": "seat", "image": "b"}]}

    assert list(field_changes(before, after)) == [FieldChange("containers[seat].image", "a", "b")]


def test_members_without_names_are_compared_by_position() -> None:
    assert list(field_changes({"a": [1, 2]}, {"a": [1, 3, 4]})) == [FieldChange("a[1]", 2, 3), FieldChange("a[2]", None, 4)]


def test_absent_fields_are_none_and_types_matter() -> None:
    assert list(field_changes({"a": 1, "b": True}, {"b": 1, "c": None})) == [
        FieldChange("a", 1, None),
        FieldChange("b", True, 1),
        FieldChange("c", None, None),
    ]
