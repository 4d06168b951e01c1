"""The package of the triggers: the same bytes everywhere, and complete."""

import io
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from deploy.aws.package import REPOSITORY, package_triggers


def copied(tmp_path: Path) -> Path:
    """Copy the triggers into an empty repository, with other times and rights on the files."""
    for source in [REPOSITORY / "deploy/__init__.py", *(REPOSITORY / "deploy/cognito_triggers").glob("*.py")]:
        target = tmp_path / source.relative_to(REPOSITORY)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(source.read_bytes())
        target.chmod(0o600)
        os.utime(target, (1_000_000_000, 1_000_000_000))
    return tmp_path


def test_the_same_source_gives_the_same_bytes(tmp_path: Path) -> None:
    """A checkout elsewhere, at another time, with other file rights, packages to the very same zip and key."""
    assert package_triggers(copied(tmp_path)) == package_triggers()


def test_another_source_gives_another_key(tmp_path: Path) -> None:
    """Any change of the source changes the key, so CloudFormation sees new code."""
    copy = copied(tmp_path)
    with (copy / "deploy/cognito_triggers/define.py").open("a", encoding="utf-8") as file:
        file.write("# changed\n")

    assert package_triggers(copy).key != package_triggers().key


@pytest.mark.parametrize("trigger", ["pre_sign_up", "define", "create", "verify"])
def test_each_handler_runs_from_the_package_alone(tmp_path: Path, trigger: str) -> None:
    """A bare interpreter, without any installed package, imports each handler out of the zip."""
    with zipfile.ZipFile(io.BytesIO(package_triggers().body)) as archive:
        archive.extractall(tmp_path)
    code = f"from deploy.cognito_triggers.{trigger} import handler; print(handler.__name__)"

    ran = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r}); {code}"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (ran.stdout, ran.stderr) == ("handler\n", "")
