"""What clients asked of the local Azure: kept in memory, bounded, without secrets, for the owner to look at.

`record` is one request, to which token checks and access control add what they find; `recorder` keeps the requests of
every service of the gateway; `masking` takes secrets out. The control socket shows them.
"""

from sandbox.azure.activity.recorder import Recorder

__all__ = ["Recorder"]
