"""The logs of deployments' containers, as files."""

from pathlib import Path

from sandbox.azure.ml.endpoints.online import logs


def test_a_log_that_grows_too_large_begins_anew(tmp_path: Path) -> None:
    """What a server writes afterwards is all that is there: it adds to the end of the file."""
    path = tmp_path / logs.FILES[logs.SERVER]
    with path.open("ab", buffering=0) as file:
        file.write(b"x" * logs.LARGEST)
        logs.trim(tmp_path)
        assert path.stat().st_size == logs.LARGEST
        file.write(b"more")
        logs.trim(tmp_path)
        file.write(b"after")
    assert path.read_bytes() == b"after"
