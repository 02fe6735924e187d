"""People and groups of the tenant, each looked up once."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

import pulumi
import pulumi_azuread as azuread

from components.identity.principals import Principal
from components.retries import lookup

OBJECT_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


@dataclass(frozen=True)
class Name:
    """The name of a user or group.

    Attributes:
        kind: Whether it is one user or a group.
        text: A user's principal name or mail address, a group's display name, or the object id of either.
    """

    kind: Literal["User", "Group"]
    text: str


@dataclass(frozen=True)
class _Answer:
    """The answer of the tenant to a name: an object id, or a problem."""

    object_id: str = ""
    problem: str = ""


class Directory:
    """Turns names of people and groups into principals with object ids.

    Somebody who is in several teams and lists costs one request. An object id costs none, and its deployer needs no
    right to read the tenant. A user that no principal name finds is looked for by mail, as guests are known.

    Args:
        provider: azuread; the default provider if left out.
        expected: Names that will be asked for, with the places that name them. If any of them is not found, every
            principal fails with one message, which has all of these names with their places.
    """

    def __init__(
        self, provider: pulumi.ProviderResource | None = None, expected: Mapping[Name, Sequence[str]] | None = None
    ) -> None:
        self._options = pulumi.InvokeOptions(provider=provider)
        self._ask = cache(self._asked)
        self._places = dict(expected or {})
        answers = pulumi.Output.all(*(self._ask(name) for name in self._places))
        self._problems = answers.apply(self._problems_of)  # made once: each of many principals waits for it

    def user(self, name: str) -> Principal:
        """A user, by principal name, mail address or object id."""
        return self._principal(Name("User", name))

    def group(self, name: str) -> Principal:
        """A security group, by display name or object id."""
        return self._principal(Name("Group", name))

    def _principal(self, name: Name) -> Principal:
        if OBJECT_ID.fullmatch(name.text):
            return Principal(name.text, name.text, name.kind)
        answers = pulumi.Output.all(self._ask(name), self._problems)
        return Principal(name.text, answers.apply(lambda found: self._object_id(name, *found)), name.kind)

    def _problems_of(self, answers: Sequence[_Answer]) -> list[str]:
        """The problems of the expected names, one for each place that names one."""
        return [
            f"{place}: {answer.problem}"
            for places, answer in zip(self._places.values(), answers, strict=True)
            for place in places
            if answer.problem
        ]

    def _object_id(self, name: Name, own: _Answer, problems: list[str]) -> str:
        wrong = [*problems, own.problem] if own.problem and name not in self._places else problems
        if wrong:
            raise pulumi.RunError("\n".join(wrong))
        return own.object_id

    def _asked(self, name: Name) -> pulumi.Output[_Answer]:
        if OBJECT_ID.fullmatch(name.text):
            return pulumi.Output.from_input(_Answer(name.text))
        if name.kind == "Group":
            return lookup(
                lambda: self._group(name.text),
                otherwise=lambda error: _Answer(problem=f"no security group of the tenant is {name.text!r}: {error}"),
            )
        return lookup(lambda: self._user(user_principal_name=name.text), otherwise=lambda _: self._by_mail(name.text))

    def _group(self, display_name: str) -> pulumi.Output[_Answer]:
        found = azuread.get_group_output(display_name=display_name, security_enabled=True, opts=self._options)
        answer: pulumi.Output[_Answer] = found.apply(lambda group: _Answer(group.object_id))
        return answer

    def _user(self, **by: str) -> pulumi.Output[_Answer]:
        found = azuread.get_user_output(**by, opts=self._options)
        answer: pulumi.Output[_Answer] = found.apply(lambda user: _Answer(user.object_id))
        return answer

    def _by_mail(self, name: str) -> pulumi.Output[_Answer]:
        return lookup(lambda: self._user(mail=name), otherwise=lambda error: _Answer(problem=_nobody(name, error)))


def _nobody(name: str, error: str) -> str:
    guest = name.replace("@", "_") + "#EXT#@TENANT.onmicrosoft.com"
    return (
        f"no user of the tenant has the principal name or the mail address {name!r}: {error} "
        f"A guest's principal name has the form {guest}; an object id is taken, too."
    )
