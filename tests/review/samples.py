"""Reports that no run has to make: of any number of stacks, with any text in every place."""

from datetime import date
from decimal import Decimal

from operations.costs.charges import Charge, Range
from review.access.model import (
    Ability,
    AccessDifference,
    Grant,
    Membership,
    Password,
    Principal,
    RoleChange,
    Trust,
)
from review.costs.model import CostDifference, ResourceCost, TeamCost
from review.model import Change, Difference, Loss, Violation
from review.report import Failure, Group, Kind, Notice, Report, Requirement, StackReview
from settings.plan import Place

HOSTILE = (
    "<script>alert(1)</script><img src=x onerror=alert(2)> @octocat @org/team [x](https://evil.example) "
    "![i](http://evil.example/x.png) https://evil.example www.evil.example | cell \\| #1 GH-2 o/r#3 "
    "\x1b[31mred\x1b[0m \x1b]8;;https://evil.example\x07link\x1b]8;;\x07 ``` `code` <!-- </details> --> "
    "**bold** _it_ ~~no~~ {{ 7*7 }} {% raw %} ${{ secrets.TOKEN }} $(id) \u202eesrever\u202c &lt; \r\n# heading\n- item"
)


def urn(stack: str, name: str) -> str:
    return f"urn:pulumi:{stack}::azureml-platform::azure-native:storage:StorageAccount::{name}"


def stack_review(stack: str, text: str = "as it is", rows: int = 2) -> StackReview:
    """A stack with something of every kind, `rows` of each."""
    place = Place(f"Pulumi.{stack}.yaml", f"azureml-platform:department.{text}", 7, 9, "written")
    names = [f"{text} {i}" for i in range(rows)]
    charge = Charge(
        "azure-native:storage:StorageAccount", text, text, text, "hour", Range.always(Decimal(730)), Decimal("0.1"),
        date(2026, 11, 1), text, (text,),
    )  # fmt: skip
    grant = Grant(Principal(text, "user", text), text, text, text, text, date(2027, 1, 31))
    more, less = Range.always(Decimal(90)), Range.always(Decimal(15))
    return StackReview(
        stack=stack,
        file=f"Pulumi.{stack}.yaml",
        state="changed",
        changes=tuple(
            Change("deleted", urn(stack, name), "azure-native:storage:StorageAccount", name, text,
                   (Difference(text, text, text),), (text,),
                   Loss(text), place)
            for name in names
        ),
        violations=tuple(
            Violation("new", f"rule-{i}", text, "high", "mandatory", urn(stack, name), text, text, f"{text} {i}", text,
                      f"javascript:{text}", "", place)
            for i, name in enumerate(names)
        ),
        under_new_rules=(
            Violation("fixed", text, text, "low", "advisory", urn(stack, text), None, "", text, text, "", text, place),
        ),
        notices=tuple(Notice("warning", "new", name, place) for name in names),
        failures=(Failure(text, place),),
        groups=(Group(text, (Kind(f"azure-native:storage:{text}", 1, 2, 3, 4, 5, loses=True),)),),
        costs=CostDifference(
            less, more, (TeamCost(text, less, more), TeamCost(None, less, less)),
            (ResourceCost("azure-native:storage:StorageAccount", text, text, (), (charge,)),),
            (), (charge,), (text,), (charge,),
        ),
        access=AccessDifference(
            grants_gained=(grant,), grants_lost=(grant,), members_gained=(Membership(text, grant.principal),),
            abilities_gained=(Ability(grant.principal, text, text, text),), trusts_gained=(Trust(text, text, text),),
            passwords_gained=(Password(text, text),), roles_changed=(RoleChange(text, (text,), (text,)),),
            ending=(grant,), notes=(text,),
        ),
    )  # fmt: skip


def report(stacks: int = 1, text: str = "as it is", rows: int = 2, length: int = 0) -> Report:
    """A report of some stacks, whose names have at least `length` characters."""
    return Report(
        base=f"main {text}",
        head=f"head {text}",
        made_by="head",
        live=False,
        stacks=tuple(stack_review(f"stack-{i}".ljust(length, "x"), text, rows) for i in range(stacks)),
        untouched=(text,),
        requirements=(Requirement(text, text, None, text),),
        notes=(text,),
    )
