"""What a folder of `ris quickstart` keeps from one run to the next."""

import socket
from dataclasses import replace
from pathlib import Path

import pytest

from ris.cli.quickstart_state import check_port, load_state, make_project_name, save_state
from ris.errors import InputError


def test_the_login_and_the_ports_of_a_folder_stay_and_are_readable_by_their_owner_alone(tmp_path):
    first = load_state(tmp_path)

    assert load_state(tmp_path) == first
    (path,) = tmp_path.iterdir()
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_projects_of_a_folder_are_kept_by_label_studio_and_file(tmp_path):
    own, other = make_project_name(None, Path("e.csv")), make_project_name("http://a/", Path("e.csv"))
    assert len({own, other, make_project_name(None, Path("f.csv"))}) == 3
    assert make_project_name("http://a", Path("e.csv")) == other
    assert make_project_name(None, Path("e.csv").resolve()) == own

    save_state(tmp_path, replace(load_state(tmp_path), projects={own: 7}))

    assert load_state(tmp_path).projects == {own: 7}


@pytest.mark.parametrize("text", ["", "[]", '{"email": "a"}', "\x00"])
def test_a_state_that_cannot_be_read_is_one_sentence(tmp_path, text):
    (tmp_path / "quickstart.json").write_text(text)

    with pytest.raises(InputError, match=r"quickstart.json cannot be read \(.*remove it, or give another"):
        load_state(tmp_path)


def test_a_port_in_use_means_another_run_in_this_folder(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        with pytest.raises(InputError, match=f"port {port}, which the backend of .* has, is in use"):
            check_port(port, "the backend", tmp_path)
    check_port(port, "the backend", tmp_path)
