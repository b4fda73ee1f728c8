import os
from pathlib import Path

import pytest

from platform_core.compute.backends.container.options import NOBODY, Options, Volume
from platform_core.errors import DefinitionError


@pytest.mark.parametrize(
    ("text", "volume"),
    [
        ("/data:/data", Volume("/data", "/data")),
        ("/data:/mnt/data:ro", Volume("/data", "/mnt/data", read_only=True)),
        ("cache:/cache:rw", Volume("cache", "/cache")),
    ],
)
def test_a_volume_is_read_as_docker_reads_it(text, volume):
    assert Volume.parse(text) == volume


@pytest.mark.parametrize("text", ["", "/data", "/data:data", ":/data", "/data:/data:z", "/a:/b:ro:x"])
def test_what_is_no_volume_is_refused(text):
    with pytest.raises(DefinitionError, match=r"write host:container or host:container:ro"):
        Options(volumes=(text,))


def test_an_option_that_does_not_exist_is_refused_with_the_ones_that_do():
    with pytest.raises(DefinitionError, match=r"no option 'volume'; there are: volumes, .*Did you mean volumes"):
        Options().changed({"volume": ["/a:/a"]})


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"volumes": "/a:/a"}, "it must be a list of texts"),
        ({"tmpfs": [1]}, "it must be a list of texts"),
        ({"read_only": "no"}, "it must be True or False"),
        ({"pids": "many"}, "it must be a whole number above zero"),
        ({"pids": 0}, "it must be a whole number above zero"),
        ({"user": 1000}, "it must be a text"),
        ({"shm": "big"}, "is not a size"),
    ],
)
def test_a_value_that_cannot_be_is_refused_by_name(said, sentence):
    with pytest.raises(DefinitionError, match=rf"{next(iter(said))}=.*{sentence}"):
        Options().changed(said)


def test_a_profile_adds_volumes_and_hosts_and_replaces_everything_else():
    base = Options(volumes=("/a:/a",), extra_hosts=("db:10.0.0.1",), network="one")
    changed = base.changed({"volumes": ["/b:/b:ro"], "extra_hosts": ["s3:10.0.0.2"], "network": "two"})
    assert changed.volumes == ("/a:/a", "/b:/b:ro")
    assert changed.extra_hosts == ("db:10.0.0.1", "s3:10.0.0.2")
    assert changed.network == "two"


def test_a_step_without_folders_runs_as_nobody():
    assert Options().run_as == NOBODY
    assert Options(volumes=("cache:/cache", "/is/not/there:/x")).run_as == NOBODY


def test_a_step_runs_as_the_owner_of_the_first_folder_that_it_may_write_to(tmp_path: Path, monkeypatch):
    mine = f"{os.getuid()}:{os.getgid()}"
    assert Options(volumes=("/:/x:ro", f"{tmp_path}:/data")).run_as == mine
    assert Options(volumes=(f"{tmp_path}:/data",), user="7:7").run_as == "7:7"
