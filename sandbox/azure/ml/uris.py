"""Addresses of data: from what a job or an asset names to an account, a container and a path.

Source: learn.microsoft.com/azure/machine-learning/concept-data (URI types) and how-to-read-write-data-v2.
"""

import re
from dataclasses import dataclass, replace
from urllib.parse import unquote, urlsplit

from sandbox.azure.arm.core import Body
from sandbox.azure.ml import runs, shared
from sandbox.azure.ml.assets import by_asset_id
from sandbox.azure.ml.datastores import ARTIFACT_STORE, DEFAULT, container_of
from sandbox.azure.ml.scope import Scope

_DATASTORE = re.compile(
    r"azureml://(?:subscriptions/(?P<subscription>[^/]+)/resourcegroups/(?P<group>[^/]+)/"
    r"(?:providers/Microsoft\.MachineLearningServices/)?workspaces/(?P<workspace>[^/]+)/)?"
    r"datastores/(?P<name>[^/]+)(?:/paths)?(?:/(?P<path>.*))?",
    re.IGNORECASE,
)
_JOB = re.compile(r"azureml:/{1,2}jobs/(?P<run>[^/]+)/outputs/(?P<output>[^/]+)(?:/paths)?(?:/(?P<path>.*))?")
_LAKE = re.compile(r"(?:abfss?|wasbs?)://([^@/]+)@([a-z0-9]+)\.(?:dfs|blob)\.core\.windows\.net/?(.*)")
_BLOB = re.compile(r"([a-z0-9]+)\.(?:blob|dfs)\.core\.windows\.net")
_HOST = re.compile(r"[a-z0-9][a-z0-9-]*(\.[a-z0-9-]+)+")
_RUN = re.compile(r"runs:/([^/]+)/(.*)")
FILE = "uri_file"
"""The type of data that is one file; all others are folders."""


class AddressError(Exception):
    """An address that leads nowhere; the message says why."""


@dataclass(frozen=True)
class Location:
    """Where data lies.

    Attributes:
        account: The storage account's name; of another web server its host.
        container: The container or file system.
        path: The path in it, without a slash at either end.
        datastore: The datastore that names it and has its credential, or None for a bare address.
        sas: The signature in a bare address; empty for none.
    """

    account: str
    container: str
    path: str
    datastore: Body | None = None
    sas: str = ""

    @property
    def address(self) -> str:
        """Its https address, without a signature."""
        host = self.account if "." in self.account else f"{self.account}.blob.core.windows.net"
        return f"https://{host}/{self.container}/{self.path}"

    def joined(self, more: str) -> "Location":
        """The location of a path below this one."""
        return replace(self, path="/".join(part for part in (self.path, more.strip("/")) if part))


def locate(scope: Scope, address: str) -> Location:
    """Where an address leads.

    Args:
        scope: The workspace it is used in.
        address: A URI of a datastore, storage account, job's output or run, or an asset's id.

    Raises:
        AddressError: It is of no known form, or what it names is not there.
    """
    address = address.removeprefix("azureml:") if address.startswith("azureml:/subscriptions") else address
    asset = by_asset_id(scope, address)
    if asset is not None:
        return locate_asset(scope, asset)
    for pattern, found in ((_DATASTORE, _in_datastore), (_JOB, _of_job), (_RUN, _of_run)):
        match = pattern.fullmatch(address)
        if match is not None:
            return found(scope, match)
    lake = _LAKE.fullmatch(address)
    if lake is not None:
        return Location(lake[2], lake[1], lake[3].strip("/"))
    return _bare(address)


def locate_asset(scope: Scope, asset: Body) -> Location:
    """Where the files of an asset's version lie; those of a registry with a signature to read them.

    Raises:
        AddressError: Its address is of no known form, or what it names is not there.
    """
    properties = asset["properties"]
    named = (properties.get(key) for key in ("dataUri", "modelUri", "codeUri"))
    uri = next((one for one in named if one), None) or properties["build"]["contextUri"]
    found = locate(scope, str(uri))
    signature = shared.read_signature(scope, str(asset["id"]), found.account, found.container)
    return replace(found, sas=signature) if signature else found


def _bare(address: str) -> Location:
    parts = urlsplit(address)
    host = parts.netloc.lower().removesuffix(":443")
    storage = _BLOB.fullmatch(host)
    container, _, path = unquote(parts.path).strip("/").partition("/")
    if parts.scheme != "https" or not _HOST.fullmatch(host) or not container:
        raise AddressError(
            f"'{address}' is no address that the sandbox can read: use azureml://datastores/NAME/paths/PATH, a data "
            "asset, an https address, or a storage account's abfss or wasbs address."
        )
    return Location(storage[1] if storage else host, container, path, sas=parts.query)


def datastore_location(datastore: Body, path: str) -> Location:
    """A path in a datastore.

    Raises:
        AddressError: It is of a type that the sandbox cannot read.
    """
    properties = datastore["properties"]
    container = container_of(datastore)
    if container is None:
        raise AddressError(
            f"Datastore '{datastore['name']}' is of type {properties['datastoreType']}, whose files the sandbox does "
            "not emulate: use a blob or ADLS Gen2 datastore."
        )
    return Location(properties["accountName"], container, path.strip("/"), datastore)


def _in_datastore(scope: Scope, match: re.Match[str]) -> Location:
    own = scope.id.split("/")
    other = match["subscription"] is not None and [match[one].lower() for one in ("subscription", "group", "workspace")]
    if other and other != [own[2].lower(), own[4].lower(), own[8].lower()]:
        raise AddressError(f"Datastore '{match['name']}' lies in another workspace: {match[0]}")
    datastore = scope.get("resource", "datastores", match["name"])
    if datastore is None:
        raise AddressError(f"Datastore '{match['name']}' was not found in the workspace.")
    return datastore_location(datastore, match["path"] or "")


def _of_job(scope: Scope, match: re.Match[str]) -> Location:
    job, run = runs.definition(scope, match["run"]), scope.get(runs.RUN, match["run"])
    rest = match["path"] or ""
    if match["output"] in ("artifacts", "default") and run is not None:
        return artifacts(scope, match["run"]).joined(rest)
    if job is None or run is None:
        raise AddressError(f"Job '{match['run']}' was not found.")
    if match["output"] in run["outputs"]:  # a pipeline's are where its steps put them
        return locate(scope, run["outputs"][match["output"]]["uri"]).joined(rest)
    if match["output"] not in job["properties"]["outputs"]:
        raise AddressError(f"Job '{match['run']}' has no output '{match['output']}'.")
    return locate(scope, output_uri(job, match["output"])).joined(rest)


def _of_run(scope: Scope, match: re.Match[str]) -> Location:
    if scope.get(runs.RUN, match[1]) is None:
        raise AddressError(f"Run '{match[1]}' was not found.")
    return artifacts(scope, match[1]).joined(match[2])


def output_uri(job: Body, output: str) -> str:
    """Where an output goes: its own uri, or the workspace's default place for it.

    Source: learn.microsoft.com/azure/machine-learning/how-to-read-write-data-v2, with its `${{name}}` placeholders.
    """
    given = job["properties"]["outputs"][output]
    uri = str(given.get("uri") or default_uri(DEFAULT, output, given["jobOutputType"]))
    return re.sub(r"\$\{\{\s*name\s*\}\}", job["name"], re.sub(r"\$\{\{\s*output_?name\s*\}\}", output, uri))


def default_uri(datastore: str, output: str, kind: str) -> str:
    """Where an output without a path goes: a file has the output's name, anything else is a folder of that name."""
    return f"azureml://datastores/{datastore}/paths/azureml/${{{{name}}}}/{output}{'' if kind == FILE else '/'}"


def artifacts(scope: Scope, run_id: str) -> Location:
    """Where a run's artifacts lie.

    Raises:
        AddressError: The workspace has lost its artifact store.
    """
    datastore = scope.get("resource", "datastores", ARTIFACT_STORE)
    if datastore is None:
        raise AddressError(f"The workspace has no datastore '{ARTIFACT_STORE}'.")
    run = scope.get(runs.RUN, run_id)
    return datastore_location(datastore, runs.artifact_prefix(runs.content_run(run) if run else run_id))


def long_uri(scope: Scope, location: Location) -> str:
    """The address in the form that the service gives it: with the workspace, by datastore where there is one."""
    if location.datastore is None:
        return location.address
    parts = scope.id.split("/")
    return (
        f"azureml://subscriptions/{parts[2]}/resourcegroups/{parts[4]}/workspaces/{parts[8]}/datastores/"
        f"{location.datastore['name']}/paths/{location.path}"
    )
