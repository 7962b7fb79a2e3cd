"""`trigger-ad fetch`: what it prints, how it exits, where it asks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.events import make_particles, write_events
from support.record_server import RecordServer, forget_environment, refusing, running_server

from trigger_ad import cli
from trigger_ad.download import patience
from trigger_ad.download.partial import Partial
from trigger_ad.download.records import PUBLIC_FILES


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[RecordServer]:
    """A mirror with the six files, small ones; the environment names it."""
    forget_environment(monkeypatch)
    impatient = patience.Patience(attempts=2, sleep=lambda seconds: None)
    monkeypatch.setattr(patience, "Patience", lambda: impatient)
    with running_server() as running:
        for number, public in enumerate(PUBLIC_FILES.values(), start=1):
            events = write_events(tmp_path / "events.h5", make_particles(10 * number, seed=number))
            running.publish(public.record, public.file_name, events.read_bytes())
        (tmp_path / "events.h5").unlink()
        monkeypatch.setenv("TRIGGER_AD_MIRROR", running.url)
        yield running


def test_one_line_for_each_file(server: RecordServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["fetch", "ato4l", "leptoquark", "ATO4L", "--to", str(tmp_path)]) == 0
    captured = capsys.readouterr()
    lines = captured.out.splitlines()
    assert len(lines) == 2
    path = tmp_path / "Ato4l_lepFilter_13TeV_filtered.h5"
    assert lines[0].startswith(f"ato4l: {path}, 20 events, ")
    assert lines[0].endswith(", record 5046446, downloaded and verified")
    assert "20 events, and the published version 55,969: it is another version" in captured.err


def test_all_six_and_then_none(server: RecordServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["fetch", "all", "--to", str(tmp_path), "--json"]) == 0
    files = json.loads(capsys.readouterr().out)["files"]
    assert [file["name"] for file in files] == list(PUBLIC_FILES)
    assert [file["events"] for file in files] == [10, 20, 30, 40, 50, 60]
    assert all(file["downloaded"] and Path(file["path"]).stat().st_size == file["size"] for file in files)
    assert len(server.requests) == 12
    assert cli.run(["fetch", "all", "--to", str(tmp_path), "--json"]) == 0
    assert not any(file["downloaded"] for file in json.loads(capsys.readouterr().out)["files"])
    assert len(server.requests) == 18


def test_the_working_directory_is_the_default(
    server: RecordServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.run(["fetch", "blackbox"]) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["BlackBox_background_mix.h5"]


def test_the_option_goes_before_the_environment(
    server: RecordServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRIGGER_AD_MIRROR", "http://127.0.0.1:1")
    assert cli.run(["fetch", "ato4l", "--to", str(tmp_path), "--mirror", f"{server.url}/"]) == 0
    assert len(server.requests) == 2


def test_an_error_is_one_line_with_the_remedy(
    server: RecordServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server.faults.append(refusing(404))
    assert cli.run(["fetch", "ato4l", "--to", str(tmp_path)]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == (
        f"trigger-ad: {server.url}/api/records/5046446: the server answers 404 Not Found. Check that the mirror "
        "(--mirror, TRIGGER_AD_MIRROR) serves the same paths as zenodo.org\n"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Missing argument 'NAME...'"),
        (["nonsense"], "'nonsense' is not one of 'background', 'ato4l'"),
        (["ato4l", "--mirror", "zenodo"], "the mirror 'zenodo' is not an address"),
    ],
)
def test_wrong_usage_is_refused_before_anything_is_asked(
    server: RecordServer, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert cli.run(["fetch", *arguments]) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.err.count("\n") == 1
    assert server.requests == []


def test_a_file_that_is_no_events_file_is_said(
    server: RecordServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    public = PUBLIC_FILES["ato4l"]
    server.publish(public.record, public.file_name, b"not what it should be")
    assert cli.run(["fetch", "ato4l", "--to", str(tmp_path)]) == 2
    assert "is not an HDF5 file" in capsys.readouterr().err


def test_an_interruption_keeps_the_part_and_says_how_to_go_on(
    server: RecordServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    public = PUBLIC_FILES["ato4l"]
    events = write_events(tmp_path / "large.h5", make_particles(3000))
    server.publish(public.record, public.file_name, events.read_bytes())
    events.unlink()
    append = Partial.append

    def interrupted(partial: Partial, data: bytes) -> None:
        append(partial, data)
        raise KeyboardInterrupt

    monkeypatch.setattr(Partial, "append", interrupted)
    assert cli.run(["fetch", "ato4l", "--to", str(tmp_path)]) == 130
    message = capsys.readouterr().err
    partial = tmp_path / f"{public.file_name}.partial"
    assert f"are kept in {partial}\n" in message
    assert "interrupted; what was finished is kept, run the same command again to go on" in message
    kept = partial.stat().st_size
    assert kept > 0
    monkeypatch.undo()
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    assert cli.run(["fetch", "ato4l", "--to", str(tmp_path), "--mirror", server.url]) == 0
    assert server.ranges()[-1] == f"bytes={kept}-"
    assert [path.name for path in tmp_path.iterdir()] == [public.file_name]
