"""Who gains and who loses access by a pull request, and what it lets them do."""
