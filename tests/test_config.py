from pathlib import Path

import pytest
from pydantic import SecretStr

from ris.config import Settings, check_listening, read_settings
from ris.errors import SettingsError


@pytest.fixture(autouse=True)
def no_environment(monkeypatch, tmp_path):
    import os

    for name in [name for name in os.environ if name.startswith("RIS_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def test_without_an_environment_there_are_defaults_that_listen_on_loopback_alone():
    settings = read_settings()

    assert (settings.host, settings.port, settings.preset) == ("127.0.0.1", 9090, "tiny")
    assert settings.database_url == "sqlite:///ris.db"


def test_the_environment_sets_and_what_is_given_wins(monkeypatch):
    monkeypatch.setenv("RIS_PORT", "9191")
    monkeypatch.setenv("RIS_ALTERNATIVES", "5")

    assert read_settings().port == 9191
    assert (read_settings(port=9292).port, read_settings(port=None).port) == (9292, 9191)
    assert read_settings().alternatives == 5


def test_a_file_beside_the_program_is_read(tmp_path):
    (tmp_path / ".env").write_text("RIS_PORT=9393\nPOSTGRES_PASSWORD=unrelated\n")

    assert read_settings().port == 9393


@pytest.mark.parametrize(
    ("name", "value"),
    [("RIS_PORT", "0"), ("RIS_ALTERNATIVES", "99"), ("RIS_DEADLINE_S", "-1"), ("RIS_LOG_LEVEL", "loud")],
)
def test_a_value_without_meaning_names_its_variable_and_itself(monkeypatch, name, value):
    monkeypatch.setenv(name, value)

    with pytest.raises(SettingsError, match=f"{name}: .*got '{value}'"):
        read_settings()


def test_secrets_are_not_shown(monkeypatch):
    monkeypatch.setenv("RIS_LABEL_STUDIO_API_KEY", "very-secret")

    assert "very-secret" not in repr(read_settings())


def test_an_address_loses_its_last_slash(monkeypatch):
    monkeypatch.setenv("RIS_LABEL_STUDIO_URL", "http://studio.local:8080/")

    assert read_settings().label_studio_url == "http://studio.local:8080"


@pytest.mark.parametrize(
    ("host", "url"),
    [("127.0.0.1", "http://127.0.0.1:9090"), ("::1", "http://[::1]:9090"), ("[::]", "http://[::]:9090")],
)
def test_our_own_address_is_where_we_listen_unless_it_is_set(monkeypatch, host, url):
    monkeypatch.setenv("RIS_HOST", host)
    assert read_settings().own_url == url

    monkeypatch.setenv("RIS_PUBLIC_URL", "https://ris.example.org/ris/")
    assert read_settings().own_url == "https://ris.example.org/ris"


def test_our_own_address_must_be_one(monkeypatch):
    monkeypatch.setenv("RIS_PUBLIC_URL", "ris.local:9090")

    with pytest.raises(SettingsError, match="RIS_PUBLIC_URL: .*must start with http"):
        read_settings()


def test_a_refused_address_with_a_password_is_not_shown(monkeypatch):
    monkeypatch.setenv("RIS_LABEL_STUDIO_URL", "me:very-secret@studio:8080")

    with pytest.raises(SettingsError, match="got an address with a password") as caught:
        read_settings()
    assert "very-secret" not in str(caught.value)


def test_the_settings_do_not_show_the_databases_address(monkeypatch):
    monkeypatch.setenv("RIS_DATABASE_URL", "postgresql://ris:very-secret@host/ris")

    assert "very-secret" not in repr(read_settings())


def test_what_is_not_set_is_none_and_not_an_empty_text():
    settings = read_settings()

    assert settings.presets_file is settings.scene_folder is settings.public_url is None
    assert settings.describer_url is settings.describer_model is settings.label_studio_public_url is None
    assert settings.image_hosts == ()


def test_an_empty_variable_is_not_set(monkeypatch, tmp_path):
    (tmp_path / ".env").write_text("RIS_SCENE_FOLDER=\n")
    for name in Settings.model_fields:
        if name != "scene_folder":
            monkeypatch.setenv(f"RIS_{name.upper()}", "")

    assert read_settings() == Settings.model_construct()


def test_hosts_of_images_are_separated_by_commas(monkeypatch):
    monkeypatch.setenv("RIS_IMAGE_HOSTS", "images.example.org, localhost:8000,")

    assert read_settings().image_hosts == ("images.example.org", "localhost:8000")


def test_folders_and_files_are_paths(monkeypatch):
    monkeypatch.setenv("RIS_SCENE_FOLDER", "scenes")
    monkeypatch.setenv("RIS_PRESETS_FILE", "~/presets.toml")

    settings = read_settings()

    assert (settings.scene_folder, settings.presets_file) == (Path("scenes"), Path("~/presets.toml"))


@pytest.mark.parametrize("blank", ["", " ", "\t", "  \n"])
def test_a_blank_password_is_none_wherever_it_comes_from(monkeypatch, tmp_path, blank):
    given = Settings(basic_auth_user=blank, basic_auth_password=SecretStr(blank))
    monkeypatch.setenv("RIS_BASIC_AUTH_USER", "ris")
    monkeypatch.setenv("RIS_BASIC_AUTH_PASSWORD", blank)

    assert (given.login, given.basic_auth_user) == (None, "")
    assert read_settings().login is None
    monkeypatch.delenv("RIS_BASIC_AUTH_PASSWORD")
    (tmp_path / ".env").write_text(f"RIS_BASIC_AUTH_PASSWORD='{blank.strip(chr(10))}'\n")
    assert read_settings().login is None


OTHER_MACHINES = [
    "0.0.0.0", "::", "[::]", "0", "0x0", "0.0", "::ffff:0.0.0.0", "::ffff:192.168.1.5", "192.168.1.5",
    "10.0.0.1",
    "fe80::1", "2001:db8::1", "no-such-name.invalid", "[]",
]  # fmt: skip


@pytest.mark.parametrize("host", OTHER_MACHINES)
def test_other_machines_are_not_served_without_a_password_unless_that_is_meant(host):
    with pytest.raises(SettingsError, match="which other machines can reach, and there is no password"):
        check_listening(Settings(host=host))
    with pytest.raises(SettingsError, match="no password"):
        check_listening(Settings(host=host, basic_auth_user="ris", basic_auth_password=SecretStr(" ")))
    check_listening(Settings(host=host, basic_auth_password=SecretStr("open")))
    check_listening(Settings(host=host, allow_anonymous=True))


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.0.0.9",
        "127.1",
        "::1",
        "[::1]",
        "localhost",
        "LOCALHOST",
        "::ffff:127.0.0.1",
        "",
        " ",
    ],
)
def test_this_machine_is_served_without_a_password(host):
    check_listening(Settings(host=host))


def test_allowed_hosts_are_separated_by_commas(monkeypatch):
    monkeypatch.setenv("RIS_ALLOWED_HOSTS", "ris.example.org, 10.0.0.5,")

    assert read_settings().allowed_hosts == ("ris.example.org", "10.0.0.5")


@pytest.mark.parametrize("name", ["RIS_LABEL_STUDIO_URL", "RIS_LABEL_STUDIO_PUBLIC_URL", "RIS_PUBLIC_URL"])
@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("http://user:secret@host", "must have no user and no password"),
        ("http://user@host:8080", "must have no user and no password"),
        ("http://[", "must be an address such as"),
        ("http://h:99999", "must be an address such as"),
        ("http://h:x", "must be an address such as"),
        ("http://", "must name a host"),
        ("http://:8080", "must name a host"),
        ("http://under score", "must name a host"),
        ("http://h:0", "must name a host"),
        ("http://h?x=1", "must end with its path"),
        ("http://h/a#f", "must end with its path"),
        ("file:///etc/passwd", "must start with http"),
    ],
)
def test_an_address_that_cannot_be_used_is_refused_at_start(monkeypatch, name, url, sentence):
    monkeypatch.setenv(name, url)

    with pytest.raises(SettingsError, match=sentence) as caught:
        read_settings()
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "http://label_studio:8080", "https://a.example/sub/path", "http://[::1]:8080", "http://[fe80::1%eth0]",
        "http://bücher.example", "http://10.0.0.1",
    ],
)  # fmt: skip
def test_an_address_that_can_be_used_is_taken(monkeypatch, url):
    monkeypatch.setenv("RIS_LABEL_STUDIO_URL", url)

    assert read_settings().label_studio_url == url


@pytest.mark.parametrize("url", ["file:///etc/passwd", "http://[", "http://h:99999", "h:80"])
def test_the_address_of_a_describer_must_be_one(monkeypatch, url):
    monkeypatch.setenv("RIS_DESCRIBER_URL", url)

    with pytest.raises(SettingsError, match="RIS_DESCRIBER_URL"):
        read_settings()


def test_the_key_of_the_vision_language_model_is_in_no_text(monkeypatch):
    monkeypatch.setenv("RIS_VLM_KEY", "sesame")

    assert "sesame" not in repr(read_settings())


@pytest.mark.parametrize("url", ["localhost:8000/v1", "ftp://h/v1", "http://", "http://h:99999/v1"])
def test_the_address_of_a_vision_language_model_must_be_one(monkeypatch, url):
    monkeypatch.setenv("RIS_VLM_URL", url)

    with pytest.raises(SettingsError, match="RIS_VLM_URL"):
        read_settings()
