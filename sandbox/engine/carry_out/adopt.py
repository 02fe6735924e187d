"""Takes a resource that exists into the state (`pulumi import TYPE NAME ID`), as the provider reads it."""

from sandbox.engine.carry_out.deployment import Deployment
from sandbox.engine.context import Adoption
from sandbox.engine.errors import EngineError
from sandbox.engine.state.resources import Resource, is_default_provider, make_urn
from sandbox.engine.steps import ImportStep


def adopt(d: Deployment, wanted: Adoption) -> None:
    """Read one resource and add it to the state; the next update treats it as its own.

    Raises:
        EngineError: the stack has it already, or lacks the parent or a provider for it.
    """
    there = {r.urn: r for r in d.prev}
    root = next((r for r in d.prev if r.is_stack), None)
    if root is None:
        raise EngineError("the stack is empty: `pulumi up` makes what resources are imported into")
    parent = wanted.parent or root.urn
    if parent not in there:
        raise EngineError(f"the parent '{parent}' is not in the stack; `pulumi stack export` shows the URNs that are")
    stack, project = root.urn.split("::")[0].removeprefix("urn:pulumi:"), root.urn.split("::")[1]
    urn = make_urn(stack, project, parent, wanted.type, wanted.name)
    if urn in there:
        raise EngineError(f"resource '{urn}' is in the stack already, with the id '{there[urn].id}'")
    package = wanted.type.partition(":")[0]
    providers = [r for r in d.prev if r.type == f"pulumi:providers:{package}"]
    provider = next((r for r in providers if wanted.provider in ("" if is_default_provider(r) else r.urn, r.urn)), None)
    if provider is None:
        known = ", ".join(f"'{r.urn}'" for r in providers) or "none, `pulumi up` makes them"
        raise EngineError(f"--provider NAME=URN must name a provider of '{package}' in the stack; there are {known}")
    new = Resource(
        urn,
        wanted.type,
        custom=True,
        import_id=wanted.id,
        parent=parent,
        provider=f"{provider.urn}::{provider.id}",
        protect=wanted.protect,
    )
    d.run_chain([ImportStep(new, None, [])])
