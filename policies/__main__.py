"""Serves the policy pack to the engine."""

import sys
from pathlib import Path

from pulumi_policy import EnforcementLevel, PolicyPack

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # the engine runs this folder, not the package

from policies import compute

PolicyPack(name="azureml-platform", enforcement_level=EnforcementLevel.MANDATORY, policies=[*compute.POLICIES])
