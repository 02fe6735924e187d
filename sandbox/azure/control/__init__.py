"""What only the owner of the sandbox may ask of it: a Unix socket in its folder, which the gateway does not carry.

`app` has the requests, `socket` the place. A client is another process of the same user: the sandbox's own command.
"""
