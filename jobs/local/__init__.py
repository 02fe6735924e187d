"""A job on this machine: a sandbox with a workspace like the team's, to which the job is submitted unchanged.

`machine` starts and stops the sandbox as a command, `platform` makes the workspace there, `described` says what a
workspace would be like where no stack's outputs can be read, and `watch` waits for a change of the job's files.
"""
