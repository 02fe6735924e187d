"""The display that the flags and the terminal ask for."""

import os
import sys
from argparse import Namespace

from sandbox.engine.context import Options
from sandbox.engine.show.display import Display
from sandbox.engine.show.documents import Digest, Stream
from sandbox.engine.show.lines import DiffView, Lines
from sandbox.engine.show.tree import Tree
from sandbox.engine.workspace import Workspace


def display_for(args: Namespace, workspace: Workspace, options: Options) -> Display:
    """The display that the flags and the terminal ask for."""
    if args.json:
        return Digest(args, workspace, options) if options.dry_run else Stream(args, workspace, options)
    if args.diff:
        return DiffView(args, workspace, options)
    live = sys.stdout.isatty() and not args.non_interactive and os.environ.get("TERM") != "dumb" and args.color != "raw"
    return Tree(args, workspace, options) if live else Lines(args, workspace, options)
