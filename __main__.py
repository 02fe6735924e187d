"""One department's Azure Machine Learning platform: reads its settings, builds it, exports its outputs."""

import pulumi

from components.department import build_department
from components.settings import load_department

for name, value in build_department(load_department()).items():
    pulumi.export(name, value)
