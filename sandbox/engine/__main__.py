"""`python -m sandbox.engine`: Pulumi's command line on the embedded engine, with plugin providers only."""

import sys

from sandbox.engine.commands.main import main

sys.exit(main(sys.argv[1:]))
