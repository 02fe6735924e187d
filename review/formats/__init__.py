"""The forms of a report: terminal text, one pull-request comment, one page, JSON and SARIF.

All free text (names, messages, reasons, paths) comes from whoever opens a pull request. `review.formats.escape` makes
it harmless for each form.
"""
