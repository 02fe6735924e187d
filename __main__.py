"""One department's Azure Machine Learning platform: reads its settings, builds it, exports its outputs."""

import pulumi

from department.build import build_department
from department.configuration import load_department

for name, value in build_department(load_department()).items():
    pulumi.export(name, value)
