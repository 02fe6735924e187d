"""Assertions of the table's own module are explained as those of tests are."""

import pytest

pytest.register_assert_rewrite("tests.proof.edits")
