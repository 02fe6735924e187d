"""The studio: local pages over everything that the sandbox's Azure has.

An HTTP client of the local Azure with a persona's own credentials: it sees what the persona may see, and asks with
documented requests. What Azure has no request for comes from the owner's control socket (`sandbox.ask`).

It runs in a process of its own, which the first `python -m sandbox studio` starts and which ends with the sandbox. A
slow page then takes no time of the local Azure's one event loop, a fault in a page stops nothing, and whoever opens no
page pays nothing. It costs some 25 MB while it runs.

`door` decides who gets in, `azure` asks the local Azure, `pages` has a module for each subject, `render` and
`templates` are the look, `charts` draws. `process` starts it and hands out the addresses to open.
"""
