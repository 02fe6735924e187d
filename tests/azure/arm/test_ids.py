"""Paths of the resource manager, against a grammar of their own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.azure.arm.core import GROUP_TYPE, normal_location, parse_id
from sandbox.azure.front.errors import AzureError

NAMES = st.text(alphabet="abcXYZ019-_.()", min_size=1, max_size=12).filter(lambda text: text.lower() != "providers")
WORDS = st.sampled_from(["storageAccounts", "blobServices", "containers", "vaults", "computes", "roleAssignments"])
NAMESPACES = st.sampled_from(["Microsoft.Storage", "Microsoft.KeyVault", "Microsoft.Authorization"])
SCOPES = st.one_of(
    st.just(""),
    st.builds("/subscriptions/{}".format, NAMES),
    st.builds("/subscriptions/{}/resourceGroups/{}".format, NAMES, NAMES),
    st.builds("/subscriptions/{}/resourceGroups/{}/providers/Microsoft.Web/sites/{}".format, NAMES, NAMES, NAMES),
)
PAIRS = st.lists(st.tuples(WORDS, NAMES), min_size=1, max_size=4)


@given(scope=SCOPES, namespace=NAMESPACES, pairs=PAIRS)
def test_a_resource_is_taken_apart_as_it_was_put_together(
    scope: str, namespace: str, pairs: list[tuple[str, str]]
) -> None:
    path = f"{scope}/providers/{namespace}" + "".join(f"/{word}/{name}" for word, name in pairs)
    found = parse_id(path)
    assert found.type == "/".join([namespace, *(word for word, _ in pairs)])
    assert found.names == [name for _, name in pairs]
    assert found.name == pairs[-1][1]
    above = f"{scope}/providers/{namespace}" + "".join(f"/{word}/{name}" for word, name in pairs[:-1])
    assert found.parent == (above if len(pairs) > 1 else scope)
    assert found.group == ("/".join(scope.split("/")[:5]) if "/resourceGroups/" in scope else "")


@given(scope=SCOPES, namespace=NAMESPACES, pairs=PAIRS, word=WORDS)
def test_a_collection_has_no_name_and_lies_in_the_resource_above(
    scope: str, namespace: str, pairs: list[tuple[str, str]], word: str
) -> None:
    resource = f"{scope}/providers/{namespace}" + "".join(f"/{kind}/{name}" for kind, name in pairs)
    found = parse_id(f"{resource}/{word}/")
    assert (found.name, found.parent) == ("", resource)
    assert found.type == "/".join([namespace, *(kind for kind, _ in pairs), word])


@given(st.text(alphabet="/aSubscriptionsresourceGroupsproviders%..\\\x00é", max_size=60))
def test_any_path_is_a_resource_or_not_found(path: str) -> None:
    try:
        found = parse_id(path)
    except AzureError as error:
        assert error.status == 404
    else:
        assert found.type
        assert "//" not in found.text


@pytest.mark.parametrize(
    ("path", "kind", "name", "parent"),
    [
        ("/subscriptions/s/resourceGroups/g", GROUP_TYPE, "g", "/subscriptions/s"),
        ("//subscriptions/s/RESOURCEGROUPS/g/", GROUP_TYPE, "g", "/subscriptions/s"),
        ("/subscriptions/s/resourcegroups", GROUP_TYPE, "", "/subscriptions/s"),
        ("/subscriptions/s", "Microsoft.Resources/subscriptions", "s", ""),
    ],
)
def test_groups_and_subscriptions_lie_in_no_provider(path: str, kind: str, name: str, parent: str) -> None:
    found = parse_id(path)
    assert (found.type, found.name, found.parent) == (kind, name, parent)


def test_a_region_has_one_name() -> None:
    assert normal_location("East US 2") == normal_location("eastus2") == "eastus2"
