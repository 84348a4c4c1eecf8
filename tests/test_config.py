import pytest

from backend.config import from_env
from backend.errors import SettingsError


@pytest.fixture(autouse=True)
def no_environment(monkeypatch, tmp_path):
    import os

    for name in [name for name in os.environ if name.startswith("RIS_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def test_without_an_environment_there_are_defaults_that_listen_on_loopback_alone():
    settings = from_env()

    assert (settings.host, settings.port, settings.preset) == ("127.0.0.1", 9090, "tiny")
    assert settings.database_url == "sqlite:///ris.db"


def test_the_environment_sets_and_what_is_given_wins(monkeypatch):
    monkeypatch.setenv("RIS_PORT", "9191")
    monkeypatch.setenv("RIS_ALTERNATIVES", "5")

    assert from_env().port == 9191
    assert (from_env(port=9292).port, from_env(port=None).port) == (9292, 9191)
    assert from_env().alternatives == 5


def test_a_file_beside_the_program_is_read(tmp_path):
    (tmp_path / ".env").write_text("RIS_PORT=9393\nPOSTGRES_PASSWORD=unrelated\n")

    assert from_env().port == 9393


@pytest.mark.parametrize(
    ("name", "value"),
    [("RIS_PORT", "0"), ("RIS_ALTERNATIVES", "99"), ("RIS_DEADLINE_S", "-1"), ("RIS_LOG_LEVEL", "loud")],
)
def test_a_value_without_meaning_names_its_variable_and_itself(monkeypatch, name, value):
    monkeypatch.setenv(name, value)

    with pytest.raises(SettingsError, match=f"{name}: .*got '{value}'"):
        from_env()


def test_secrets_are_not_shown(monkeypatch):
    monkeypatch.setenv("RIS_LABEL_STUDIO_API_KEY", "very-secret")

    assert "very-secret" not in repr(from_env())


def test_an_address_loses_its_last_slash(monkeypatch):
    monkeypatch.setenv("RIS_LABEL_STUDIO_URL", "http://studio.local:8080/")

    assert from_env().label_studio_url == "http://studio.local:8080"
