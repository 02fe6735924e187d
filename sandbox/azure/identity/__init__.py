"""Entra and Microsoft Graph: sign-in (`entra`), the directory (`graph`), and the tokens of pipelines (`assertions`)."""
