"""Who calls and what they may do: sign-in (`entra`), the directory (`graph`), tokens and role assignments (`rbac`).

`tenant` has the users, groups and clients of the seed file; `tokens` signs and checks access tokens; `assertions` has
the tokens of pipelines.
"""
