"""`python -m sandbox` as a process: starting, finding, stopping, whatever state the last one left."""

import json
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sandbox.control import DEFAULT_PORT
from tests.conftest import ROOT, Sandbox


@pytest.fixture
def stopped(tmp_path: Path) -> Sandbox:
    """A sandbox that was never started."""
    return Sandbox(tmp_path / ".sandbox")


def status(sandbox: Sandbox) -> dict[str, object]:
    found: dict[str, object] = json.loads(sandbox.command("status", "--json").stdout)
    return found


def gone(pid: int) -> bool:
    """Whether a process has ended."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return "Z" in Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]


def wait(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


# ---- a life


def test_a_sandbox_starts_once_and_stops(stopped: Sandbox) -> None:
    first = stopped.command("start", "--port", "0")
    assert first.returncode == 0, first.stderr
    assert first.stdout.startswith("sandbox started on 127.0.0.1:")
    told = status(stopped)
    pid = int(str(told["pid"]))
    assert told["running"] is True
    assert f":{told['port']} " in first.stdout
    second = stopped.command("start", "--port", "0")
    assert (second.returncode, second.stdout) == (0, first.stdout.replace("started", "already running"))
    assert os.getsid(pid) == pid  # a session of its own: it outlives the shell
    done = stopped.command("stop")
    assert (done.returncode, done.stdout) == (0, "sandbox stopped\n")
    wait(lambda: gone(pid))  # it lets go of the folder a moment before
    assert not (stopped.directory / "sandbox.json").exists()
    again = stopped.command("stop")
    assert (again.returncode, again.stdout) == (0, "no sandbox was running\n")


def test_status_tells_what_runs(sandbox: Sandbox) -> None:
    told = status(sandbox)
    assert int(str(told["residentBytes"])) > 10_000_000
    assert told["directory"] == str(sandbox.directory)
    text = sandbox.command("status").stdout
    assert f"running on 127.0.0.1:{told['port']}, process {told['pid']}" in text
    assert ["1", "Microsoft.Authorization/roleAssignments"] in [line.split() for line in text.splitlines()]


def test_without_a_sandbox_commands_say_so(stopped: Sandbox) -> None:
    assert status(stopped) == {"running": False, "directory": str(stopped.directory)}
    for words in (("status",), ("env",), ("pulumi", "up", "-s", "dev"), ("pulumi", "destroy")):
        done = stopped.command(*words)
        assert done.returncode == 1, words
        said = done.stdout + done.stderr
        assert f"no sandbox is running in {stopped.directory}" in said
        assert "Traceback" not in said
    assert "python -m sandbox start" in stopped.command("env").stderr


def test_two_starts_at_once_make_one_sandbox(stopped: Sandbox) -> None:
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda _: stopped.command("start", "--port", "0"), range(4)))
    try:
        assert [one.returncode for one in done] == [0] * 4, [one.stderr for one in done]
        assert len({one.stdout.split(" on ")[1] for one in done}) == 1
        assert sum("started" in one.stdout for one in done) == 1
    finally:
        stopped.stop()


def test_what_was_made_survives_a_stop_and_a_kill(sandbox: Sandbox) -> None:
    secret = sandbox.environment()["AZURE_CLIENT_SECRET"]
    before = {path.name: path.read_bytes() for path in sandbox.directory.iterdir() if path.suffix in (".key", ".pem")}
    sandbox.stop()
    sandbox.start()
    pid = int(str(status(sandbox)["pid"]))
    os.kill(pid, signal.SIGKILL)
    wait(lambda: gone(pid))
    assert (sandbox.directory / "sandbox.json").exists()
    assert status(sandbox)["running"] is False
    assert sandbox.command("env").returncode == 1
    sandbox.start()
    assert sandbox.environment()["AZURE_CLIENT_SECRET"] == secret
    assert {name: (sandbox.directory / name).read_bytes() for name in before} == before


def test_a_stale_file_with_a_living_process_id_ends_nobody(stopped: Sandbox) -> None:
    stopped.directory.mkdir()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as innocent:
        state = {"pid": innocent.pid, "port": 1, "started": time.time()}
        (stopped.directory / "sandbox.json").write_text(json.dumps(state))
        assert status(stopped)["running"] is False
        assert stopped.command("stop").stdout == "no sandbox was running\n"
        assert stopped.command("start", "--port", "0").returncode == 0
        stopped.stop()
        assert innocent.poll() is None
        innocent.communicate(b"\n")


# ---- what cannot start


def test_a_taken_port_is_named_with_the_way_out(stopped: Sandbox) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = stopped.command("start", "--port", str(port))
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: port {port} on 127.0.0.1 is taken")
    assert "--port N" in done.stderr
    assert {path.name for path in stopped.directory.iterdir()} <= {"lock", "log.txt"}
    assert stopped.command("start", "--port", "0").returncode == 0
    stopped.stop()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    sandbox = Sandbox(tmp_path / "file" / ".sandbox")
    done = sandbox.command("start", "--port", "0")
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: {sandbox.directory} cannot be used")
    assert "SANDBOX_DIR" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def full_disk() -> None:
    """No file of this process may grow: writes fail as on a full disk."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def test_a_full_disk_is_told_and_nothing_is_half_made(stopped: Sandbox) -> None:
    environment = {**os.environ, "SANDBOX_DIR": str(stopped.directory)}
    command = [sys.executable, "-m", "sandbox", "start", "--port", "0"]
    done = subprocess.run(
        command, env=environment, cwd=ROOT, capture_output=True, text=True, preexec_fn=full_disk, check=False
    )
    assert done.returncode == 1
    assert str(stopped.directory) in done.stderr
    assert "cannot be used" in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(stopped.directory.glob(".*"))  # no temporary file is left
    assert stopped.command("start", "--port", "0").returncode == 0
    stopped.stop()


@pytest.mark.parametrize(
    ("words", "usage"),
    [
        ((), "python -m sandbox"),
        (("begin",), "python -m sandbox"),
        (("start", "--port", "many"), "python -m sandbox start"),
        (("start", "--port", "70000"), "python -m sandbox start"),
        (("start", "now"), "python -m sandbox start"),
        (("env", "--persona", "boss"), "python -m sandbox env"),
        (("prepare",), "python -m sandbox prepare"),
        (("faults", "set"), "python -m sandbox faults set"),
    ],
)
def test_wrong_usage_exits_with_2(stopped: Sandbox, words: tuple[str, ...], usage: str) -> None:
    done = stopped.command(*words)
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert f"'{usage} --help' lists what is allowed" in done.stderr
    assert "Traceback" not in done.stderr
    assert not stopped.directory.exists()


def test_help_lists_the_commands(stopped: Sandbox) -> None:
    text = stopped.command("--help").stdout
    for word in ("start", "stop", "status", "env", "reset", "prepare", "pulumi", "SANDBOX_DIR"):
        assert word in text


# ---- env


def test_env_is_for_a_shell(sandbox: Sandbox) -> None:
    exports = sandbox.command("env", "--persona", "scientist").stdout
    script = f'{exports}\necho "$AZURE_TENANT_ID $ARM_SUBSCRIPTION_ID $HTTPS_PROXY"\n'
    shown = subprocess.run(["/bin/sh"], input=script, capture_output=True, text=True, check=True).stdout.split()
    assert shown == [
        "5f0b2c1e-3a7d-4c58-9e61-2d8a4b7c9f10",
        "8b41ca0c-0c5a-4c01-b49b-5bb8d329cc27",
        f"http://127.0.0.1:{status(sandbox)['port']}",
    ]
    owner, scientist = sandbox.environment("owner"), sandbox.environment("scientist")
    assert owner["AZURE_CLIENT_ID"] == owner["ARM_CLIENT_ID"] != scientist["AZURE_CLIENT_ID"]
    assert owner["AZURE_CLIENT_SECRET"] == owner["ARM_CLIENT_SECRET"] != scientist["AZURE_CLIENT_SECRET"]
    assert {"SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "https_proxy", "NO_PROXY"} <= owner.keys()


def test_the_folder_and_its_secrets_are_its_owners_alone(sandbox: Sandbox) -> None:
    assert sandbox.directory.stat().st_mode & 0o777 == 0o700
    for name in ("personas.json", "ca.key", "entra.key", "sandbox.json", "lock"):
        assert (sandbox.directory / name).stat().st_mode & 0o077 == 0, name
    secret = sandbox.environment()["AZURE_CLIENT_SECRET"]
    assert secret not in sandbox.log()
    pid = status(sandbox)["pid"]
    assert secret.encode() not in Path(f"/proc/{pid}/cmdline").read_bytes()


def test_a_sandbox_started_from_a_clients_shell_is_no_client_of_itself(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {**sandbox.environment(), "MY_OWN": "kept"}.items():
        monkeypatch.setenv(name, value)
    sandbox.stop()
    sandbox.start()
    pid = status(sandbox)["pid"]
    names = {one.split(b"=")[0] for one in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")}
    assert b"MY_OWN" in names
    assert not names & {b"HTTPS_PROXY", b"SSL_CERT_FILE", b"AZURE_CLIENT_SECRET", b"ARM_CLIENT_SECRET"}


# ---- reset


def test_reset_deletes_all_but_the_environments_and_starts_anew(sandbox: Sandbox) -> None:
    port, secret = status(sandbox)["port"], sandbox.environment()["AZURE_CLIENT_SECRET"]
    kept = sandbox.directory / "environments" / "one"
    kept.mkdir(parents=True)
    (sandbox.directory / "pulumi").mkdir(exist_ok=True)
    (sandbox.directory / "pulumi" / "passphrase").write_text("x")
    done = sandbox.command("reset")
    assert done.returncode == 0, done.stderr
    assert "python -m sandbox env" in done.stdout
    assert status(sandbox)["port"] == port
    assert kept.is_dir()
    assert not (sandbox.directory / "pulumi").exists()
    fresh = Sandbox(sandbox.directory)
    assert fresh.environment()["AZURE_CLIENT_SECRET"] != secret


def test_reset_of_a_stopped_sandbox_leaves_it_stopped(sandbox: Sandbox) -> None:
    sandbox.stop()
    done = sandbox.command("reset")
    assert (done.returncode, done.stdout) == (0, "sandbox reset\n")
    assert status(sandbox)["running"] is False
    assert {path.name for path in sandbox.directory.iterdir()} <= {"lock", "environments"}
    sandbox.start()


# ---- ports


def test_without_a_port_a_taken_one_is_no_obstacle(
    stopped: Sandbox,
) -> None:
    """A second checkout on one machine: the first one's sandbox has the port."""
    try:
        other = socket.create_server(("127.0.0.1", DEFAULT_PORT))
    except OSError:  # taken already: just as well
        other = socket.create_server(("127.0.0.1", 0))
    with other:
        done = stopped.command("start")
    assert done.returncode == 0, done.stderr
    port = int(str(status(stopped)["port"]))
    assert port != DEFAULT_PORT
    assert done.stdout.splitlines()[0] == (
        f"port {DEFAULT_PORT} is taken by another program, so this sandbox uses port {port}"
    )
    stopped.stop()


# ---- json and help


def test_env_as_json(sandbox: Sandbox) -> None:
    assert json.loads(sandbox.command("env", "--json").stdout) == sandbox.environment()


def test_faults_as_json(stopped: Sandbox) -> None:
    stopped.directory.mkdir()
    stopped.command("faults", "set", "throttle,seconds=3", "--seed", "7")
    told = json.loads(stopped.command("faults", "show", "--json").stdout)
    assert (told["seed"], [rule["kind"] for rule in told["rules"]]) == (7, ["throttle"])


def test_help_loads_neither_pulumi_nor_azure(stopped: Sandbox) -> None:
    script = (
        "import sys; from sandbox.__main__ import main; main(['--help'])\n"
        "heavy = ('pulumi', 'azure', 'yaml', 'cryptography', 'starlette', 'sandbox.engine', 'sandbox.azure')\n"
        "sys.exit([name for name in heavy if name in sys.modules] or 0)"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
