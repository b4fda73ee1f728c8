import pytest

from platform_core.compute.backends.container.refusals import missing_image, refusal, too_large
from tests.platform_core.compute.backends.container.orders import an_order

GIB = 1 << 30


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            'could not select device driver "" with capabilities: [[gpu]]',
            "It asks for 1 gpu, and the container engine has none",
        ),
        (
            'invalid mount config for type "bind": bind source path does not exist: /data/store',
            "The folder /data/store of its volumes does not exist",
        ),
        (
            "statfs /data/store: no such file or directory",
            "The folder /data/store of its volumes does not exist",
        ),
        ("network lab not found", "The container engine has no network 'lab'"),
        ("unable to find network with name or ID lab: network not found", "The container engine has no network 'lab'"),
        (
            'runc create failed: unable to start container process: exec: "py": executable file not found in $PATH',
            "The image rides:1 has no interpreter 'py'",
        ),
        (
            "crun: executable file `py` not found in $PATH: No such file or directory: OCI runtime attempted to invoke",
            "The image rides:1 has no interpreter 'py'",
        ),
        ("unable to find user tess: no matching entries in passwd file", "The image rides:1 has no user 'tess'"),
        (
            "Minimum memory limit allowed is 6MB",
            "It asks for less memory than a container can have: give it at least 6MB",
        ),
        ("exec /usr/bin/python: argument list too long", "Its variables are larger"),
        (
            "image with reference x was found but does not match the specified platform: wanted linux/arm64",
            "The image rides:1 is made for another kind of processor",
        ),
        (
            "something that nobody foresaw.\nmore of it",
            "The container engine refuses to start it: something that nobody foresaw",
        ),
    ],
)
def test_the_engines_words_become_a_sentence(words, sentence):
    told = refusal(words, an_order(compute={"gpu": 1}), "rides:1", "py")
    assert told.startswith(sentence)
    assert told.endswith(".")


def test_a_missing_image_says_whether_it_was_tried_to_fetch_it():
    assert "cannot be fetched (no such host)" in missing_image("rides:1", "no such host\n", pull=True)
    assert "fetching is off" in missing_image("rides:1", "No such image", pull=False)


def test_what_no_machine_of_the_engine_has_is_refused_with_what_it_has():
    assert too_large(an_order(compute={"cpu": 4, "memory": "8GiB"}), 4, 8 * GIB) == ""
    assert "asks for 4 cpu, the container engine's machine has 2" in too_large(an_order(compute={"cpu": 4}), 2, GIB)
    assert "8 GiB of memory, the container engine's machine has 1 GiB" in too_large(
        an_order(compute={"memory": "8GiB"}), 2, GIB
    )
