"""Sign-in, retries and what is said when nobody answers."""

import threading
from typing import Any

import pytest

from sandbox.providers.arm import Arm, Target
from sandbox.providers.azure_native import AzureNative
from sandbox.providers.http import MANAGEMENT, Client, Credentials, Failure, Refused
from tests.providers.cloud import SUBSCRIPTION, Cloud, error
from tests.providers.driver import Aborted, Resource, configured, invoke

GROUP = Target(f"/subscriptions/{SUBSCRIPTION}/resourceGroups/g", "2024-03-01")
NOW = {"Retry-After": "0"}
RESOURCE_GROUP = "azure-native:resources:ResourceGroup"


def client(**config: str) -> Client:
    return Client(Credentials.read("azure-native", config))


def test_one_token_for_each_audience_serves_all_threads(cloud: Cloud) -> None:
    shared = client()
    cloud.kept[GROUP.id.lower()] = {"location": "e"}
    found: list[Any] = []
    threads = [threading.Thread(target=lambda: found.append(Arm(shared).get(GROUP))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [{"location": "e"}] * 8
    assert cloud.signed_in == 1
    shared.token("https://vault.azure.net")
    assert cloud.signed_in == 2


def test_a_token_that_ends_is_replaced(cloud: Cloud) -> None:
    cloud.lifetime = 0
    shared = client()
    shared.token(MANAGEMENT)
    shared.token(MANAGEMENT)
    assert cloud.signed_in == 2


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_passing_troubles_are_tried_again(cloud: Cloud, status: int) -> None:
    cloud.say(
        "GET", "/g", (status, error("Busy", "later"), NOW), (status, {}, {"retry-after-ms": "1"}), (200, {"ok": True})
    )
    assert Arm(client()).get(GROUP) == {"ok": True}


def test_a_conflict_with_another_operation_is_tried_again_and_another_is_not(cloud: Cloud) -> None:
    busy = (409, error("AnotherOperationInProgress", "wait"), NOW)
    cloud.say("PUT", "/g", busy, (200, {"ok": True}), (409, error("Conflict", "no")))
    arm = Arm(client())
    assert arm.write(GROUP, {}, seconds=5, long_running=False) == {"ok": True}
    with pytest.raises(Refused, match="Conflict"):
        arm.write(GROUP, {}, seconds=5, long_running=False)
    assert len(cloud.calls("PUT")) == 3


def test_retries_are_bounded(cloud: Cloud) -> None:
    cloud.say("GET", "/g", *[(503, error("Busy", "later"), NOW)] * 9)
    with pytest.raises(Refused, match='Status=503 Code="Busy" Message="later"'):
        Arm(client()).get(GROUP)
    assert len(cloud.calls("GET")) == 4


def test_cancelling_ends_a_wait(cloud: Cloud) -> None:
    shared = client()

    def busy(_: Any) -> tuple[int, Any]:
        shared.cancelled.set()
        return 503, error("Busy", "later")  # no Retry-After: twenty seconds, were it not for the cancelling

    cloud.say("GET", "/g", busy)
    with pytest.raises(Failure, match="cancelled"):
        Arm(shared).get(GROUP)


def test_a_wrong_secret_shows_entras_words_and_not_the_secret(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARM_CLIENT_SECRET", "wrong-secret")
    with pytest.raises(
        Aborted, match="Sign-in to Azure as client 'caller-client' failed: Status=401 AADSTS7000215"
    ) as failed:
        Resource(configured(AzureNative()), RESOURCE_GROUP).create({"resourceGroupName": "g", "location": "e"})
    assert "wrong-secret" not in str(failed.value)


def test_configuration_goes_before_the_environment(cloud: Cloud) -> None:
    provider = configured(AzureNative(), clientSecret="wrong", subscriptionId="other")
    with pytest.raises(Aborted, match="AADSTS7000215"):
        invoke(provider, "azure-native:authorization:getClientConfig")
    right = configured(AzureNative(), subscriptionId="other")
    assert invoke(right, "azure-native:authorization:getClientConfig")["subscriptionId"] == "other"


def test_without_credentials_it_says_what_to_set(alone: AzureNative) -> None:
    with pytest.raises(Aborted) as failed:
        invoke(alone, "azure-native:authorization:getClientConfig")
    assert str(failed.value) == (
        "Not signed in to Azure: clientId, clientSecret, tenantId not set. Set ARM_CLIENT_ID, ARM_CLIENT_SECRET and "
        "ARM_TENANT_ID (or AZURE_… alike), or `pulumi config set azure-native:clientId …`. For the sandbox: "
        'eval "$(python -m sandbox env)".'
    )


def test_without_a_subscription_it_says_what_to_set(alone: AzureNative) -> None:
    with pytest.raises(Aborted, match="No subscription: set ARM_SUBSCRIPTION_ID"):
        Resource(alone, RESOURCE_GROUP).create({"resourceGroupName": "g", "location": "e"})


def test_a_proxy_that_does_not_answer_is_named(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with pytest.raises(Failure, match=r"The proxy http://127.0.0.1:1 \(HTTPS_PROXY\) does not answer.*sandbox start"):
        client().token(MANAGEMENT)


def test_a_host_that_the_proxy_refuses_is_named(cloud: Cloud) -> None:
    with pytest.raises(Failure, match=r"does not let example\.org through: the sandbox emulates no such host"):
        client().request("GET", "https://example.org/", audience=MANAGEMENT)


def test_an_untrusted_certificate_is_explained(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(Failure, match=r"login.microsoftonline.com: the certificate is not trusted.*SSL_CERT_FILE must"):
        client().token(MANAGEMENT)
