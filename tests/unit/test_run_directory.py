"""Artefacts appear whole or not at all, and an artefact that stood there before survives every failure."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from trigger_ad.errors import UserError
from trigger_ad.run_directory import (
    DiskFullError,
    RunDirectory,
    clear_about,
    file_digest,
    read_json,
    text_digest,
    worked_on_alone,
    write_json,
    write_text,
    written_together,
    written_whole,
)


def tree(folder: Path) -> dict[str, str | None]:
    """Every path below a folder; the text of files, None for folders."""
    return {
        path.relative_to(folder).as_posix(): path.read_text() if path.is_file() else None for path in folder.rglob("*")
    }


def write_folder(path: Path, text: str) -> None:
    with written_whole(path) as temporary:
        temporary.mkdir()
        (temporary / "inner.txt").write_text(text)


def fail_in_file(path: Path, failure: BaseException) -> None:
    with written_whole(path) as temporary:
        temporary.write_text("half")
        raise failure


def fail_in_folder(path: Path, failure: BaseException) -> None:
    with written_whole(path) as temporary:
        temporary.mkdir()
        (temporary / "inner.txt").write_text("half")
        raise failure


def test_a_file_appears_with_its_folders(tmp_path: Path) -> None:
    write_text(tmp_path / "a" / "b.txt", "text")
    assert tree(tmp_path) == {"a": None, "a/b.txt": "text"}


def test_nothing_stands_under_the_name_before_the_block_ends(tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    with written_whole(path) as temporary:
        temporary.write_text("half")
        assert not path.exists()
        assert temporary.parent == path.parent
        assert ".partial" in temporary.name
    assert tree(tmp_path) == {"file.txt": "half"}


def test_a_file_is_replaced(tmp_path: Path) -> None:
    write_text(tmp_path / "file.txt", "old")
    write_text(tmp_path / "file.txt", "new")
    assert tree(tmp_path) == {"file.txt": "new"}


def test_a_folder_is_replaced_with_everything_in_it(tmp_path: Path) -> None:
    write_folder(tmp_path / "project", "old")
    (tmp_path / "project" / "stale.txt").write_text("stale")
    write_folder(tmp_path / "project", "new")
    assert tree(tmp_path) == {"project": None, "project/inner.txt": "new"}


def test_a_file_does_not_take_the_place_of_a_folder(tmp_path: Path) -> None:
    write_folder(tmp_path / "project", "kept")
    with pytest.raises(UserError, match=r"project cannot be written \(Is a directory\)"):
        write_text(tmp_path / "project", "a file")
    assert tree(tmp_path) == {"project": None, "project/inner.txt": "kept"}


def test_a_link_to_a_folder_is_replaced_and_not_followed(tmp_path: Path) -> None:
    write_folder(tmp_path / "elsewhere", "kept")
    (tmp_path / "project").symlink_to(tmp_path / "elsewhere")
    write_folder(tmp_path / "project", "new")
    assert not (tmp_path / "project").is_symlink()
    assert (tmp_path / "project" / "inner.txt").read_text() == "new"
    assert (tmp_path / "elsewhere" / "inner.txt").read_text() == "kept"


@pytest.mark.parametrize("failure", [KeyError("bug"), KeyboardInterrupt(), UserError("what", "remedy")])
def test_a_failed_block_leaves_the_file_that_stood_there(tmp_path: Path, failure: BaseException) -> None:
    write_text(tmp_path / "file.txt", "old")
    with pytest.raises(type(failure)) as caught:
        fail_in_file(tmp_path / "file.txt", failure)
    assert caught.value is failure
    assert tree(tmp_path) == {"file.txt": "old"}


@pytest.mark.parametrize("failure", [KeyError("bug"), KeyboardInterrupt()])
def test_a_failed_block_leaves_the_folder_that_stood_there(tmp_path: Path, failure: BaseException) -> None:
    write_folder(tmp_path / "project", "old")
    with pytest.raises(type(failure)):
        fail_in_folder(tmp_path / "project", failure)
    assert tree(tmp_path) == {"project": None, "project/inner.txt": "old"}


def test_a_folder_that_cannot_be_renamed_into_place_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_folder(tmp_path / "project", "old")
    rename = Path.replace

    def refuse_the_new(self: Path, target: Path) -> Path:
        if target == tmp_path / "project" and (self / "inner.txt").read_text() == "new":
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return rename(self, target)

    monkeypatch.setattr(Path, "replace", refuse_the_new)
    with pytest.raises(UserError, match=r"project cannot be written \(Input/output error\)"):
        write_folder(tmp_path / "project", "new")
    assert tree(tmp_path) == {"project": None, "project/inner.txt": "old"}


def test_what_a_killed_process_of_the_same_number_left_is_no_obstacle(tmp_path: Path) -> None:
    write_folder(tmp_path / "project", "old")
    for name in (f"project.partial-{os.getpid()}", f"project.partial-old-{os.getpid()}"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "left.txt").write_text("left")
    write_folder(tmp_path / "project", "new")
    assert tree(tmp_path) == {"project": None, "project/inner.txt": "new"}


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), "no space left on the device while writing"),
        (OSError(errno.EDQUOT, os.strerror(errno.EDQUOT)), "no space left on the device while writing"),
        (OSError(errno.EROFS, os.strerror(errno.EROFS)), "file.txt cannot be written (Read-only file system)"),
        (OSError("7 requested and 3 written"), "file.txt cannot be written (7 requested and 3 written)"),
        (OSError(), "file.txt cannot be written (OSError)"),
        # how h5py tells that the disk was full when it closed a file
        (
            RuntimeError(
                "Can't decrement id ref count (unable to extend file properly, errno = 28, error message = '')"
            ),
            "no space left on the device while writing",
        ),
        (
            RuntimeError(
                "Can't decrement id ref count (unable to extend file properly, errno = 27, error message = '')"
            ),
            "file.txt cannot be written (File too large)",
        ),
    ],
)
def test_what_the_system_refuses_is_one_line_and_leaves_the_file(tmp_path: Path, failure: Exception, said: str) -> None:
    write_text(tmp_path / "file.txt", "old")
    with pytest.raises(UserError) as caught:
        fail_in_file(tmp_path / "file.txt", failure)
    assert said in caught.value.what
    assert str(tmp_path / "file.txt") in caught.value.what
    assert "\n" not in str(caught.value)
    assert tree(tmp_path) == {"file.txt": "old"}


def test_an_error_in_place_of_the_systems_own_is_said_by_that_one(tmp_path: Path) -> None:
    def release() -> None:
        try:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError:
            raise RuntimeError("did not possess lock")  # noqa: B904

    with pytest.raises(DiskFullError, match="no space left on the device while writing"), clear_about(tmp_path / "x"):
        release()


def test_an_error_in_the_program_is_not_blamed_on_the_disk(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="a bug"), written_whole(tmp_path / "file.txt"):
        raise RuntimeError("a bug")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no full device")
def test_a_full_disk_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no space left on the device"), written_whole(tmp_path / "file.txt"):
        Path("/dev/full").write_text("text")


def test_a_file_where_a_folder_should_be_is_told(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("a file")
    with pytest.raises(UserError, match=r"run/file\.txt cannot be written"):
        write_text(tmp_path / "runs" / "run" / "file.txt", "text")
    assert tree(tmp_path) == {"runs": "a file"}


def test_a_read_only_file_system_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path, *arguments: object, **options: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    # such a system refuses to remove even what does not exist
    monkeypatch.setattr(Path, "mkdir", refuse)
    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(UserError, match="Read-only file system"):
        write_text(tmp_path / "run" / "file.txt", "text")


def test_what_is_written_together_changes_together(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_text(tmp_path / name, "old")
    with written_together():
        for name in ("a", "b"):
            write_text(tmp_path / name, "new")
            assert (tmp_path / name).read_text() == "old"
        write_folder(tmp_path / "project", "new")
    assert tree(tmp_path) == {"a": "new", "b": "new", "project": None, "project/inner.txt": "new"}


@pytest.mark.parametrize("failure", [KeyError("bug"), KeyboardInterrupt()])
def test_what_is_written_together_stays_together_when_the_block_fails(tmp_path: Path, failure: BaseException) -> None:
    def fail_after_two() -> None:
        with written_together():
            write_text(tmp_path / "a", "new")
            write_folder(tmp_path / "project", "new")
            raise failure

    write_text(tmp_path / "a", "old")
    with pytest.raises(type(failure)):
        fail_after_two()
    assert tree(tmp_path) == {"a": "old"}
    write_text(tmp_path / "a", "later")
    assert tree(tmp_path) == {"a": "later"}


def test_a_failed_write_among_others_leaves_everything(tmp_path: Path) -> None:
    def fail_in_the_second() -> None:
        with written_together():
            write_text(tmp_path / "a", "new")
            fail_in_file(tmp_path / "b", OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))

    write_text(tmp_path / "a", "old")
    with pytest.raises(UserError, match="no space left"):
        fail_in_the_second()
    assert tree(tmp_path) == {"a": "old"}


def test_json_is_read_back(tmp_path: Path) -> None:
    data = {"a": [1, 2.5, None, "ü"], "b": {"c": True}}
    write_json(tmp_path / "data.json", data)
    assert read_json(tmp_path / "data.json") == data


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_numbers_that_json_does_not_have_are_refused(tmp_path: Path, number: float) -> None:
    write_json(tmp_path / "data.json", {"old": 1})
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "data.json", {"a": number})
    assert read_json(tmp_path / "data.json") == {"old": 1}


@pytest.mark.parametrize("content", [None, b"", b"{", b"[1]", b"\xff\xfe"])
def test_damaged_json_is_told(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "data.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match=r"data\.json") as caught:
        read_json(path)
    assert "\n" not in str(caught.value)


def test_the_digest_of_a_file_is_that_of_its_bytes(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"some bytes")
    assert file_digest(path) == hashlib.sha256(b"some bytes").hexdigest()
    assert text_digest("some bytes") == file_digest(path)


def test_the_digest_of_a_folder_depends_on_names_places_and_contents_alone(tmp_path: Path) -> None:
    def folder(name: str, files: dict[str, str]) -> str:
        for place, text in files.items():
            write_text(tmp_path / name / place, text)
        return file_digest(tmp_path / name)

    first = folder("first", {"a.txt": "1", "inner/b.txt": "2"})
    assert folder("same", {"inner/b.txt": "2", "a.txt": "1"}) == first
    others = [
        folder("content", {"a.txt": "1", "inner/b.txt": "3"}),
        folder("name", {"c.txt": "1", "inner/b.txt": "2"}),
        folder("place", {"a.txt": "1", "b.txt": "2"}),
        folder("exchanged", {"a.txt": "2", "inner/b.txt": "1"}),
        folder("more", {"a.txt": "1", "inner/b.txt": "2", "c.txt": ""}),
    ]
    assert len({first, *others}) == 6


def test_the_paths_of_a_run_lie_in_its_folder(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path / "run")
    names = {
        "config.yaml": run.config,
        "manifest.json": run.manifest,
        "float.h5": run.float_model,
        "quantized_qat.h5": run.quantized_model("qat"),
        "network_ptq.json": run.network("ptq"),
        "vectors": run.vectors,
        "hls/vitis": run.hls_project("vitis"),
        "results/emulation.json": run.results("emulation"),
        "results/emulation.npz": run.arrays("emulation"),
    }
    assert {run.relative(path): path for path in names.values()} == names


def test_a_run_directory_is_worked_on_by_one_process(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path / "hls_projects" / "mine")
    with worked_on_alone(run):
        # a lock belongs to what opened the folder, so that this process stands for another
        with pytest.raises(UserError, match=r"another trigger-ad works on .*mine"), worked_on_alone(run):
            pass
        write_text(run.config, "name: mine\n")
    with worked_on_alone(run):
        assert run.config.read_text() == "name: mine\n"


def test_a_run_that_writes_nothing_leaves_no_folder(tmp_path: Path) -> None:
    with pytest.raises(UserError), worked_on_alone(RunDirectory(tmp_path / "hls_projects" / "mine")):
        raise UserError("something is wrong", "Mend it")
    assert list(tmp_path.iterdir()) == []


def test_where_folders_cannot_be_locked_a_file_in_them_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # NFS locks only what is open for writing, and answers EBADF otherwise: flock(2)
    def nfs(opened: int, operation: int) -> None:
        if fcntl.fcntl(opened, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        flock(opened, operation)

    flock = fcntl.flock
    monkeypatch.setattr("fcntl.flock", nfs)
    run = RunDirectory(tmp_path / "hls_projects" / "mine")
    with (
        worked_on_alone(run),
        pytest.raises(UserError, match=r"another trigger-ad works on .*mine"),
        worked_on_alone(run),
    ):
        pass
    assert list(tmp_path.iterdir()) == []
    with worked_on_alone(run):
        write_text(run.config, "name: mine\n")
    with worked_on_alone(run):
        assert run.config.read_text() == "name: mine\n"


def test_a_killed_process_lets_go_of_its_run_directory(tmp_path: Path) -> None:
    program = (
        "import pathlib, sys, time\n"
        "from trigger_ad.run_directory import RunDirectory, worked_on_alone\n"
        f"with worked_on_alone(RunDirectory(pathlib.Path({str(tmp_path)!r}))):\n"
        "    print('locked', flush=True)\n"
        "    time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "locked\n"
        with pytest.raises(UserError, match="another trigger-ad works on"), worked_on_alone(RunDirectory(tmp_path)):
            pass
        other.kill()
    with worked_on_alone(RunDirectory(tmp_path)):
        pass


def test_a_process_that_was_given_the_lock_holds_it_when_this_one_has_ended(tmp_path: Path) -> None:
    directory = RunDirectory(tmp_path / "run")
    directory.path.mkdir()
    with worked_on_alone(directory) as lock:
        other = subprocess.Popen(["sleep", "600"], pass_fds=(lock,))
    try:
        with pytest.raises(UserError, match="another trigger-ad works on"), worked_on_alone(directory):
            pass
    finally:
        other.kill()
        other.wait()
    with worked_on_alone(directory):
        pass
