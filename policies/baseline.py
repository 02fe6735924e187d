"""The controls of Microsoft's security baseline for Azure Machine Learning, and why some need no rule.

Source: the baseline's mapping file in MicrosoftDocs/SecurityBenchmarks ("Azure Offer Security Baselines/3.0",
2023-10), which is learn.microsoft.com/security/benchmark/azure/baselines/machine-learning-service-security-baseline.
It applies the Microsoft cloud security benchmark. The ids of the other services' rules are that benchmark's, too: from
their own baselines and from its initiative in Azure/azure-policy (AzureSecurityCenter.json, 2026-04).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from policies.model import Counterpart, Rule

FRAMEWORK: Final = "Microsoft cloud security benchmark"


@dataclass(frozen=True)
class Control:
    """A control of the baseline.

    Attributes:
        asks: The subject of the control.
        why_none: The reason why the pack has no rule for it; empty if it has.
    """

    asks: str
    why_none: str = ""


_UNSUPPORTED = "the baseline says that Azure ML does not support it"
_DEFAULT = "Azure does it by itself"
CONTROLS: Mapping[str, Control] = MappingProxyType(
    {
        "NS-1": Control("network segmentation: virtual or managed network, security groups"),
        "NS-2": Control("private link, no public network access"),
        "IM-1": Control("Microsoft Entra in place of keys and local accounts"),
        "IM-3": Control("managed identities for applications"),
        "IM-7": Control("conditional access", "its policies are Entra's; no resource of azure-native has them"),
        "IM-8": Control("secrets in a key vault"),
        "PA-1": Control("no local administrators"),
        "PA-7": Control("least privilege by roles"),
        "PA-8": Control("approval of access for support", _UNSUPPORTED),
        "DP-1": Control("classification of data", "Microsoft Purview scans what is there; no resource declares it"),
        "DP-2": Control("protection from exfiltration"),
        "DP-3": Control("encryption in transit"),
        "DP-4": Control("encryption at rest", _DEFAULT),
        "DP-5": Control("customer-managed keys where they are required"),
        "DP-6": Control("a life cycle for keys"),
        "DP-7": Control("a life cycle for certificates", _UNSUPPORTED),
        "AM-2": Control("only approved services"),
        "AM-5": Control("only approved applications on virtual machines", _UNSUPPORTED),
        "LT-1": Control("threat detection", _UNSUPPORTED),
        "LT-4": Control("resource logs"),
        "PV-3": Control("secure images", "images are chosen by jobs and environments, not in a Pulumi program"),
        "PV-5": Control("assessment of vulnerabilities", _UNSUPPORTED),
        "PV-6": Control("newest images: a cluster takes one when it goes down to zero nodes"),
        "ES-1": Control("detection and response on endpoints", _UNSUPPORTED),
        "ES-2": Control("anti-malware", "Azure's images bring it; no resource declares it"),
        "ES-3": Control("current anti-malware signatures", "Azure's images bring it; no resource declares it"),
        "BR-1": Control("backups", _UNSUPPORTED),
    }
)


def answers(rule: Rule, id_: str) -> bool:
    """Whether a rule answers a control."""
    return any(one.framework == FRAMEWORK and one.reference == id_ for one in rule.counterparts)


def controls(*ids: str) -> tuple[Counterpart, ...]:
    """The benchmark's controls that a rule answers."""
    return tuple(Counterpart(FRAMEWORK, id_) for id_ in ids)
