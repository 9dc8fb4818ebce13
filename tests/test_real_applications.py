"""Real applications from the configured index: what is traced has every file of theirs that importing and running them opens."""

from __future__ import annotations

from pathlib import Path

import pytest
from applications import CASES, measure


@pytest.mark.parametrize("name", sorted(case.name for case in CASES.iterdir()))
def test_the_trace_has_every_file_that_the_application_opens(tmp_path: Path, name: str) -> None:
    measured = measure(name, tmp_path)
    assert not measured.failed
    assert measured.eager - {"packs/main.py"}
    assert measured.eager <= measured.imported
    assert measured.imported <= measured.files
    assert measured.run <= measured.files
