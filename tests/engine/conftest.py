"""The engine's tests: `--traces DIR` compares with other traces of the same form than ours."""

from pathlib import Path

import pytest

OURS = (Path(__file__).parent / "traces", Path(__file__).parent / "more_traces")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--traces", type=Path, metavar="DIR", help="a folder with scenarios/ and traces/")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "scenario" in metafunc.fixturenames:
        given: Path | None = metafunc.config.getoption("--traces")
        files = [f for root in ([given.resolve()] if given else OURS) for f in sorted((root / "traces").glob("*.json"))]
        scenarios = [f.parent.parent / "scenarios" / f"{f.stem}.py" for f in files]
        metafunc.parametrize("scenario", scenarios, ids=[f.stem for f in files])
