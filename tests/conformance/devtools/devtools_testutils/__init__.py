"""Stands in for the Azure SDK's test helpers: every test is live, nothing is recorded, so nothing is sanitized."""

from devtools_testutils.helpers import is_live, is_live_and_not_recording


class AzureRecordedTestCase:
    """The tests' base class; live tests need nothing of it."""

    is_live = True


def _nothing(*_: object, **__: object) -> None:
    """For what only recordings need."""


add_body_key_sanitizer = _nothing
add_general_regex_sanitizer = _nothing
add_general_string_sanitizer = _nothing
add_remove_header_sanitizer = _nothing
add_uri_regex_sanitizer = _nothing
remove_batch_sanitizers = _nothing
set_bodiless_matcher = _nothing
set_custom_default_matcher = _nothing

__all__ = ["AzureRecordedTestCase", "is_live", "is_live_and_not_recording"]
