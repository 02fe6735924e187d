"""The engine's tests: `--traces DIR` compares with other traces of the same form than ours."""

from pathlib import Path

import pytest

TRACES = Path(__file__).parent / "traces"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--traces",
        type=Path,
        default=TRACES,
        metavar="DIR",
        help="a folder with scenarios/ and traces/",
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "scenario" in metafunc.fixturenames:
        root: Path = metafunc.config.getoption("--traces").resolve()
        files = sorted((root / "traces").glob("*.json"))
        metafunc.parametrize(
            "scenario", [root / "scenarios" / f"{f.stem}.py" for f in files], ids=[f.stem for f in files]
        )
