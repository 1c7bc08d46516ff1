"""Secrets are read from where a testbed says, and never told."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.errors import UsageError
from lab.testbed.access import Credentials
from lab.testbed.secrets import login, secret


def test_of_each_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "secret"
    file.write_text("admin:pa:ss\n")
    file.chmod(0o600)
    monkeypatch.setenv("LAB_SECRET", "admin:pa:ss")
    monkeypatch.setenv("LAB_FOLDER", str(tmp_path))
    for where in (
        Credentials(file=file),
        Credentials(file=Path("$LAB_FOLDER/secret")),
        Credentials(environment="LAB_SECRET"),
        Credentials(command="echo 'admin:pa:ss'"),
    ):
        assert login(where, "the BMC") == ("admin", "pa:ss")
    assert "pa:ss" not in repr(login(Credentials(file=file), "the BMC"))


def test_what_is_wrong_is_said_without_the_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LAB_SECRET", raising=False)
    file = tmp_path / "secret"
    with pytest.raises(UsageError, match="the environment variable LAB_SECRET is empty"):
        secret(Credentials(environment="LAB_SECRET"), "the BMC")
    with pytest.raises(UsageError, match="no such file"):
        secret(Credentials(file=file), "the BMC")
    file.write_text("hidden")
    file.chmod(0o640)
    with pytest.raises(UsageError, match="chmod 600") as told:
        secret(Credentials(file=file), "the BMC")
    file.chmod(0o600)
    with pytest.raises(UsageError, match="not written user:password") as also:
        login(Credentials(file=file), "the BMC")
    assert "hidden" not in str(told.value) + str(also.value)
    with pytest.raises(UsageError, match="ended with code 1: no vault"):
        secret(Credentials(command="sh -c 'echo no vault >&2; exit 1'"), "the BMC")
