"""`python -m sandbox.engine`: Pulumi's command line on the embedded engine, with plugin providers only."""

import sys

from sandbox.engine.commands.main import main
from sandbox.process import run_alone

run_alone(lambda: main(sys.argv[1:]))
