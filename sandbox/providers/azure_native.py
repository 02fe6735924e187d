# ruff: noqa: N802 (Pulumi's protocol names its methods so)
"""The stand-in for Pulumi's azure-native provider, version 3.29.0."""

import contextlib
import copy
import threading
from typing import Any, Final

from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2 as proto

from sandbox.providers import check, convert, diff
from sandbox.providers.arm import Arm, Target, Unfinished
from sandbox.providers.http import GRAPH, Failure, Refused
from sandbox.providers.provider import InitFailed, Provider, answering, check_reply, type_of
from sandbox.providers.resources import ACTIONS, Described, describe
from sandbox.providers.values import (
    UNKNOWN,
    Properties,
    from_struct,
    marked_like,
    same,
    to_struct,
    unmarked,
    without_nulls,
)
from sandbox.providers.vaultitems import VaultItems

_GROUP_VERSION: Final = "2020-10-01"  # with which azure-native looks up a group's location
_STABLE: Final = ("name", "location")  # outputs that an update leaves as they are


class AzureNative(Provider):
    """Resources and functions of Azure Resource Manager."""

    package = "azure-native"
    version = "3.29.0"

    def __init__(self) -> None:
        super().__init__()
        self._locations: dict[str, Any] = {}
        self._locations_lock = threading.Lock()

    @property
    def _arm(self) -> Arm:
        return Arm(self.client)

    @answering
    def Check(self, request: Any, context: Any) -> Any:
        """Fills in defaults and reports what is wrong."""
        described = _described(request.urn)
        news = without_nulls(from_struct(request.news))
        old, new = unmarked(from_struct(request.olds)), unmarked(news)
        added = check.filled(described, request, old, new, lambda: self._default_location(new))
        return check_reply({**news, **added}, check.failures(described, {**new, **added}))

    def _default_location(self, inputs: Properties) -> Any:
        if "location" in self.config:
            return self.config["location"]
        group = inputs.get("resourceGroupName")
        if group is None or group == UNKNOWN:
            return group
        with self._locations_lock:
            if group not in self._locations:
                target = Target(f"/subscriptions/{self._subscription()}/resourceGroups/{group}", _GROUP_VERSION)
                try:
                    self._locations[group] = self._arm.get(target).get("location")
                except Refused:
                    return None
            return self._locations[group]

    @answering
    def Diff(self, request: Any, context: Any) -> Any:
        """Compares old inputs with new ones."""
        old, new = unmarked(from_struct(request.old_inputs)), unmarked(from_struct(request.news))
        difference = diff.difference(_described(request.urn), old, new, unmarked(from_struct(request.olds)))
        return proto.DiffResponse(
            changes=proto.DiffResponse.DIFF_SOME if difference.changed else proto.DiffResponse.DIFF_NONE,
            replaces=difference.replacing,
            diffs=difference.changed,
            detailedDiff={
                path: proto.PropertyDiff(
                    kind=proto.PropertyDiff.Kind.Value(kind), inputDiff=path not in difference.inherited
                )
                for path, kind in difference.details.items()
            },
            hasDetailedDiff=bool(difference.details),
            deleteBeforeReplace=difference.delete_first,
        )

    @answering
    def Create(self, request: Any, context: Any) -> Any:
        """Refuses what exists, PUTs, waits, reads back. A preview sends nothing."""
        described, given = _described(request.urn), from_struct(request.properties)
        inputs = unmarked(given)
        if request.preview:
            foreseen = convert.preview(described.outputs, inputs)
            return proto.CreateResponse(properties=to_struct(marked_like(foreseen, given)))
        target = self._target(described, inputs)
        self._arm.check_absent(target, singleton=described.type.singleton)
        body = convert.request_body(described, inputs)
        for child in described.type.children:
            path = convert.wire_path(described, child)
            if convert.get_path(body, path) is None:
                convert.set_path(body, path, [])
        if items := self._vault_items(described):
            outputs = convert.outputs(described, items.create(target, inputs, body))
            return proto.CreateResponse(id=target.id, properties=to_struct(marked_like(outputs, given)))
        answer = self._write(described, target, body, request.properties, request.timeout)
        made = Target(answer.get("id", target.id), target.version)
        outputs = self._read_back(described, made, answer)
        return proto.CreateResponse(id=made.id, properties=to_struct(marked_like(outputs, given)))

    @answering
    def Update(self, request: Any, context: Any) -> Any:
        """PUTs all new inputs; nothing is merged but child arrays that the inputs do not set."""
        described, given = _described(request.urn), from_struct(request.news)
        inputs, state = unmarked(given), unmarked(from_struct(request.olds))
        if request.preview:
            foreseen = convert.preview(described.outputs, inputs)
            foreseen.update({name: state[name] for name in _STABLE if name in state})
            return proto.UpdateResponse(properties=to_struct(marked_like(foreseen, given)))
        for name, default in described.type.after_removal.items():
            if name not in inputs and name in state:
                inputs[name] = default
        target = self._target(described, inputs)
        body = convert.request_body(described, inputs, unmarked(from_struct(request.old_inputs)))
        self._keep_children(described, target, body)
        answer = self._write(described, target, body, request.news, request.timeout)
        outputs = self._read_back(described, target, answer)
        return proto.UpdateResponse(properties=to_struct(marked_like(outputs, given)))

    def _keep_children(self, described: Described, target: Target, body: Properties) -> None:
        """Copies unset arrays of children from the resource, which a PUT without them would delete."""
        paths = [convert.wire_path(described, child) for child in described.type.children]
        unset = [path for path in paths if convert.get_path(body, path) is None]
        current = self._arm.get(Target(target.id, target.version)) if unset else {}
        for path in unset:
            if (value := convert.get_path(current, path)) is not None:
                convert.set_path(body, path, value)

    @answering
    def Delete(self, request: Any, context: Any) -> Any:
        """DELETEs and waits. A singleton is set back to its defaults instead."""
        described = _described(request.urn)
        target = Target(request.id, described.version)
        if described.type.singleton:
            self._arm.write(target, {}, seconds=request.timeout, long_running=described.type.long_running)
        elif items := self._vault_items(described):
            items.delete(unmarked(from_struct(request.old_inputs)))
        else:
            self._arm.delete(target, seconds=request.timeout)
        return empty_pb2.Empty()

    @answering
    def Read(self, request: Any, context: Any) -> Any:
        """Reads for a refresh or an import; an empty id says that the resource is gone."""
        described = _described(request.urn)
        response = self._arm.find(Target(request.id, described.version))
        if response is None:
            return proto.ReadResponse()
        outputs = convert.outputs(described, response)
        given, state = from_struct(request.inputs), from_struct(request.properties)
        if request.HasField("inputs"):
            outputs = _without_children(described, outputs, unmarked(given))
            inputs = _refreshed(described, unmarked(given), unmarked(state), outputs)
        else:
            try:
                inputs = convert.imported_inputs(described, request.id, response)
            except ValueError as error:
                raise Failure(str(error)) from error
        return proto.ReadResponse(
            id=request.id,
            inputs=to_struct(marked_like(inputs, given)),
            properties=to_struct(marked_like(outputs, state)),
        )

    @answering
    def Invoke(self, request: Any, context: Any) -> Any:
        """Functions: the client's identity, GETs of a resource, POSTs that list keys."""
        arguments = unmarked(from_struct(request.args))
        if request.tok == "azure-native:authorization:getClientConfig":
            return self.invoke_reply(self._client_config())
        if request.tok == "azure-native:authorization:getClientToken":
            audience = str(arguments.get("endpoint") or "https://management.azure.com")
            return self.invoke_reply({"token": self.client.token(audience.rstrip("/"))})
        if request.tok in ACTIONS:
            token, action = ACTIONS[request.tok]
            target = self._argument_target(_known(token), arguments)
            return self.invoke_reply(self._requested(target, lambda: self._arm.act(target, action)))
        package, module, name = request.tok.split(":")
        described = describe(f"{package}:{module}:{name.removeprefix('get')}") if name.startswith("get") else None
        if described is None:
            raise Failure(
                f"Invoke type {request.tok} not found: the sandbox's azure-native does not have this function."
            )
        target = self._argument_target(described, arguments)
        response = self._requested(target, lambda: self._arm.get(target))
        return self.invoke_reply({**convert.outputs(described, response), "id": response.get("id", target.id)})

    def _client_config(self) -> Properties:
        claims = self.client.claims(GRAPH)
        return {
            "clientId": claims.get("appid", ""),
            "objectId": claims.get("oid", ""),
            "subscriptionId": self._subscription(),
            "tenantId": claims.get("tid", ""),
        }

    def _argument_target(self, described: Described, arguments: Properties) -> Target:
        missing = [name for name in described.type.path_inputs if name not in arguments]
        if missing:
            raise Failure(f"missing required property '{missing[0]}'")
        return Target(convert.resource_id(described, arguments, self._subscription()), described.version)

    @staticmethod
    def _requested(target: Target, call: Any) -> Any:
        try:
            return call()
        except Refused as refused:
            raise Failure(f"request failed {target.id}: {refused}") from refused

    def _subscription(self) -> str:
        subscription = self.setting("subscriptionId", "SUBSCRIPTION_ID")
        if not subscription:
            raise Failure(
                "No subscription: set ARM_SUBSCRIPTION_ID, or `pulumi config set azure-native:subscriptionId …`."
            )
        return subscription

    def _target(self, described: Described, inputs: Properties) -> Target:
        query = tuple((name, str(inputs[name]).lower()) for name in sorted(described.type.queries) if name in inputs)
        return Target(convert.resource_id(described, inputs, self._subscription()), described.version, query)

    def _vault_items(self, described: Described) -> VaultItems | None:
        kind = {"azure-native:keyvault:Secret": "secrets", "azure-native:keyvault:Key": "keys"}.get(described.token)
        return VaultItems(self.client, self._arm, kind) if kind else None

    def _write(self, described: Described, target: Target, body: Properties, given: Any, timeout: float) -> Properties:
        try:
            return self._arm.write(target, body, seconds=timeout, long_running=described.type.long_running)
        except Unfinished as unfinished:
            text, outputs = str(unfinished), {}
            try:
                outputs = convert.outputs(described, self._arm.get(Target(target.id, target.version)))
            except Failure as unread:
                text = f"resource created but read failed {unread}: {text}"
            raise InitFailed(text, target.id, outputs, given) from unfinished

    def _read_back(self, described: Described, target: Target, answer: Properties) -> Properties:
        """The answer to a GET after a write; the write's own answer where the GET fails."""
        with contextlib.suppress(Refused):  # azure-native warns and goes on
            answer = self._arm.get(Target(target.id, target.version))
        return convert.outputs(described, answer)


def _described(urn: str) -> Described:
    return _known(type_of(urn))


def _known(token: str) -> Described:
    described = describe(token)
    if described is None:
        raise Failure(f"Resource type {token} not found: the sandbox's azure-native does not emulate it.")
    return described


def _details(difference: diff.Difference) -> dict[str, Any]:
    kinds = proto.PropertyDiff.Kind
    return {
        path: proto.PropertyDiff(kind=kinds.Value(kind), inputDiff=path not in difference.inherited)
        for path, kind in difference.details.items()
    }


def _without_children(described: Described, outputs: Properties, inputs: Properties) -> Properties:
    """The outputs with `[]` for arrays of children that the program does not set: they may be others' resources."""
    outputs = copy.deepcopy(outputs)
    for child in described.type.children:
        path = child.split(".")
        if convert.get_path(inputs, path) is None and convert.get_path(outputs, path) is not None:
            convert.set_path(outputs, path, [])
    return outputs


def _refreshed(described: Described, inputs: Properties, state: Properties, outputs: Properties) -> Properties:
    """The inputs after a refresh, with as little noise as azure-native manages."""
    for name, default in described.type.after_removal.items():
        if name in inputs and same(state.get(name), default):
            state = convert.without_path(state, [name])
    return convert.refreshed(inputs, convert.shown_inputs(described, state), convert.shown_inputs(described, outputs))
