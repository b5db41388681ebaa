"""The folder that a command is typed in."""

import pytest
from tiny import picture, tiny_model


@pytest.fixture
def here(tmp_path, monkeypatch):
    """It holds tiny.keras and photo.png, and is the one that the test is in."""
    monkeypatch.chdir(tmp_path)
    tiny_model(tmp_path)
    picture(tmp_path / "photo.png", 1)
    return tmp_path
