"""Clients in virtual networks: what they reach by private endpoints, and what keeps them out."""

from dataclasses import dataclass
from urllib.parse import quote

import pytest
import requests

from tests.azure.client import Client, unique
from tests.azure.ml import harness
from tests.conftest import Sandbox

ZONES = {
    "blob": "privatelink.blob.core.windows.net",
    "vault": "privatelink.vaultcore.azure.net",
    "amlworkspace": "privatelink.api.azureml.ms",
}
AUDIENCES = {
    "blob": "https://storage.azure.com",
    "vault": "https://vault.azure.net",
    "amlworkspace": "https://management.azure.com",
}
CLOSED, OPEN = "the network keeps it out", "the network lets it in"
OPEN_WITH = (200, 400, 403, 404)  # the next refusal: no role, no such thing


@dataclass
class Place:
    """A group with a network, and a resource closed to the public.

    Attributes:
        azure: The owner's client, on the internet.
        part: What of the resource endpoints lead to.
        group: The group's id.
        target: The resource's id.
        address: Of a request to the resource's data.
    """

    azure: Client
    part: str
    group: str
    target: str
    address: str

    def make(self, path: str, **properties: object) -> str:
        """Makes a resource in the group; gives its id."""
        location = "global" if "DnsZones" in path else "eastus2"
        body = {"properties": properties} if "ZoneGroups" in path else {"location": location, "properties": properties}
        made = self.azure.arm("PUT", f"{self.group}/providers/Microsoft.Network/{path}", body)
        assert made.status_code in (200, 201), made.text
        return str(made.json()["id"])

    def network(self, **more: object) -> str:
        """Makes a network with a subnet `one`."""
        subnet = {"name": "one", "properties": {"addressPrefix": "10.0.1.0/24"}}
        space = {"addressPrefixes": ["10.0.0.0/16"]}
        return self.make(f"virtualNetworks/{unique('vnet')}", addressSpace=space, subnets=[subnet], **more)

    def endpoint(self, network: str) -> str:
        """Makes an endpoint in a network."""
        link = {"name": "link", "properties": {"privateLinkServiceId": self.target, "groupIds": [self.part]}}
        subnet = {"id": f"{network}/subnets/one"}
        return self.make(f"privateEndpoints/{unique('pe')}", subnet=subnet, privateLinkServiceConnections=[link])

    def zone(self) -> str:
        """Makes the zone of the resource's names."""
        return self.make(f"privateDnsZones/{ZONES[self.part]}")

    def record(self, endpoint: str, zone: str) -> None:
        """Puts the endpoint's names into the zone."""
        config = {"name": "one", "properties": {"privateDnsZoneId": zone}}
        path = f"privateEndpoints/{endpoint.rsplit('/', 1)[-1]}/privateDnsZoneGroups/default"
        self.make(path, privateDnsZoneConfigs=[config])

    def link(self, network: str) -> None:
        """Lets a network see the zone."""
        path = f"privateDnsZones/{ZONES[self.part]}/virtualNetworkLinks/{unique('link')}"
        self.make(path, virtualNetwork={"id": network}, registrationEnabled=False)

    def outcome(self, network: str = "") -> str:
        """What becomes of a request from a network, or from the internet, that may do nothing else."""
        client = Client(self.azure.sandbox)
        if network:
            client.session.proxies = {"https": _from(self.azure, network)}
        token = client.token(AUDIENCES[self.part])
        headers = {"Authorization": f"Bearer {token}", "x-ms-version": "2023-11-03"}
        answer = client.session.get(self.address, headers=headers)
        code = answer.headers.get("x-ms-error-code") or answer.text
        return CLOSED if any(word in code for word in REFUSALS) else OPEN if answer.status_code in OPEN_WITH else code


REFUSALS = ("AuthorizationFailure", "ForbiddenByConnection", "Public network access of the workspace")


def _from(azure: Client, network: str) -> str:
    return azure.session.proxies["https"].replace("http://", f"http://{quote(network, safe='')}:@")


def _account(azure: Client, group: str) -> tuple[str, str]:
    made = harness.account(azure, group, publicNetworkAccess="Disabled")
    return made["id"], f"https://{made['name']}.blob.core.windows.net/data?restype=container&comp=list"


def _vault(azure: Client, group: str) -> tuple[str, str]:
    name = unique("kv")
    properties = {
        "tenantId": azure.tenant,
        "sku": {"family": "A", "name": "standard"},
        "enableRbacAuthorization": True,
        "publicNetworkAccess": "disabled",
    }
    path = f"{group}/providers/Microsoft.KeyVault/vaults/{name}"
    made = harness.put(azure, path, {"location": harness.REGION, "properties": properties})
    return made["id"], f"https://{name}.vault.azure.net/secrets?api-version=7.5"


def _workspace(azure: Client, group: str) -> tuple[str, str]:
    needs = harness.dependencies(azure)
    made = harness.put(azure, needs.workspace_id(unique("ws")), needs.body(publicNetworkAccess="Disabled"))
    return made["id"], f"https://eastus2.api.azureml.ms/mlflow/v1.0{made['id']}/api/2.0/mlflow/experiments/get?x=1"


TARGETS = {"blob": _account, "vault": _vault, "amlworkspace": _workspace}


@pytest.fixture(params=TARGETS)
def place(request: pytest.FixtureRequest, azure: Client) -> Place:
    group = azure.group()
    return Place(azure, request.param, group, *TARGETS[request.param](azure, group))


@pytest.fixture
def account(azure: Client) -> Place:
    group = azure.group()
    return Place(azure, "blob", group, *_account(azure, group))


def test_the_internet_is_kept_out_and_the_network_with_endpoint_record_and_link_let_in(place: Place) -> None:
    network = place.network()
    assert place.outcome() == CLOSED
    assert place.outcome(network) == CLOSED
    endpoint, zone = place.endpoint(network), place.zone()
    assert place.outcome(network) == CLOSED
    place.record(endpoint, zone)
    assert place.outcome(network) == CLOSED
    place.link(network)
    assert place.outcome(network) == OPEN
    assert place.outcome(network.rsplit("/", 1)[-1].upper()) == OPEN
    assert place.outcome() == CLOSED


def test_a_link_without_a_record_leads_nowhere(account: Place) -> None:
    network = account.network()
    account.endpoint(network)
    account.zone()
    account.link(network)
    assert account.outcome(network) == CLOSED


def test_another_network_needs_a_peering_beside_the_link(account: Place) -> None:
    hub = account.network()
    account.record(account.endpoint(hub), account.zone())
    account.link(hub)
    peering = {"name": "hub", "properties": {"remoteVirtualNetwork": {"id": hub}}}
    spoke, stranger = account.network(virtualNetworkPeerings=[peering]), account.network()
    for one in (spoke, stranger):
        account.link(one)
    assert [account.outcome(one) for one in (hub, spoke, stranger)] == [OPEN, OPEN, CLOSED]


def test_an_endpoint_leads_to_its_own_resource_only(account: Place) -> None:
    network = account.network()
    account.record(account.endpoint(network), account.zone())
    account.link(network)
    other = Place(account.azure, "blob", account.group, *_account(account.azure, account.group))
    assert (account.outcome(network), other.outcome(network)) == (OPEN, CLOSED)


def test_a_network_that_does_not_exist_is_refused(azure: Client) -> None:
    client = Client(azure.sandbox)
    client.session.proxies = {"https": _from(azure, "nowhere")}
    with pytest.raises(requests.exceptions.ProxyError, match="403"):
        client.sign_in()


def test_env_puts_a_client_into_a_network(account: Place, shared_sandbox: Sandbox) -> None:
    network = account.network()
    printed = shared_sandbox.command("env", "--network", network.rsplit("/", 1)[-1]).stdout
    assert f"http://{quote(network.lower(), safe='')}:@127.0.0.1:" in printed
    wrong = shared_sandbox.command("env", "--network", "nowhere")
    assert (wrong.returncode, wrong.stdout) == (1, "")
    assert "no virtual network 'nowhere' in the sandbox. There are: /subscriptions/" in wrong.stderr
    assert network in wrong.stderr
