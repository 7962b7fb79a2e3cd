"""What an emulator's folder holds, that it was checked before, and that nothing of somebody's own is replaced."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from support.exports import make_exportable, read_vectors_text, report_for
from support.native import FAST
from support.runs import tree_digest

from trigger_ad import __version__
from trigger_ad.errors import CheckFailed, UserError
from trigger_ad.native.encoding import encoding_digest
from trigger_ad.native.source import LibraryNames
from trigger_ad.network.digest import network_digest
from trigger_ad.network.evaluation import outputs
from trigger_ad.pipeline import export
from trigger_ad.pipeline.convert import EXPECTED_WORDS, read_vectors, shipped_network
from trigger_ad.pipeline.export import Export, check_out, export_emulator
from trigger_ad.pipeline.stage import Run
from trigger_ad.run_directory import file_digest

OUT = Path("emulator")
FILES = {
    "LICENSE",
    "Makefile",
    "README.md",
    "cms_adaptor.cpp",
    "cms_adaptor.h",
    "loader.py",
    "test.cpp",
    "trigger_ad_small_v1.cpp",
    "trigger_ad_small_v1.h",
    "vectors.txt",
}


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("trigger_ad.native.build.PORTABLE_FLAGS", FAST)
    return make_exportable(tmp_path)


def _export(run: Run, version: str = "1", out: Path = OUT) -> Export:
    return export_emulator(run, report_for(run), LibraryNames(run.config.name, version), out)


def test_the_folder_says_what_it_holds(run: Run) -> None:
    exported = _export(run)
    assert {path.name for path in OUT.iterdir()} == FILES | {"manifest.json"}
    manifest = json.loads((OUT / "manifest.json").read_text())
    assert manifest.pop("files") == {name: file_digest(OUT / name) for name in FILES}
    vectors = read_vectors(run.directory.vectors)
    corner = sum(len(item) for item in vectors.segments if item.kind == "corner")
    assert exported == Export(OUT, len(vectors.words), corner + export.EVENTS)
    assert manifest == {
        "schema": 1,
        "generator": "trigger-ad export",
        "trigger_ad_version": __version__,
        "name": "small",
        "version": "1",
        "namespace": "trigger_ad_small_v1",
        "network_digest": network_digest(shipped_network(run)),
        "encoding_digest": encoding_digest(run.encoding),
        "score_type": str(shipped_network(run).type("score")),
        "vectors": {"checked": exported.checked, "shipped": exported.shipped, "corner": corner},
    }


def test_the_vectors_are_the_runs_with_the_words_that_the_reference_gives(run: Run) -> None:
    _export(run)
    words, expected = read_vectors_text(OUT / "vectors.txt")
    assert expected.tolist() == outputs(shipped_network(run), run.encoding.codes_of_words(words)).tolist()
    vectors = read_vectors(run.directory.vectors)
    corners = max(item.stop for item in vectors.segments if item.kind == "corner")
    assert words[:corners].tolist() == vectors.words[:corners].tolist()
    assert set(map(tuple, words[corners:].tolist())) <= set(map(tuple, vectors.words[corners:].tolist()))


@pytest.mark.parametrize("limit", [200_000, 20_000, 2000])
def test_what_is_too_much_is_thinned_out(run: Run, monkeypatch: pytest.MonkeyPatch, limit: int) -> None:
    """The large groups of corner vectors first, and the small ones only where even they alone are too much."""
    monkeypatch.setattr(export, "VECTORS_BYTES", limit)
    _export(run)
    assert (OUT / "vectors.txt").stat().st_size <= limit + 100
    found = set(map(tuple, read_vectors_text(OUT / "vectors.txt")[0].tolist()))
    vectors = read_vectors(run.directory.vectors)
    for item in vectors.segments:
        large = item.kind == "events" or item.name.startswith(("every word", "random"))
        share = [tuple(words) in found for words in vectors.words[item.start : item.stop].tolist()]
        assert any(share) or limit == 2000
        assert all(share) or large or limit == 2000


def test_equal_runs_give_equal_folders_without_a_path_of_this_machine(run: Run, tmp_path: Path) -> None:
    _export(run)
    _export(run, out=Path("elsewhere/emulator"))
    assert tree_digest(OUT) == tree_digest(Path("elsewhere/emulator"))
    for path in OUT.iterdir():
        text = path.read_text()
        assert not [place for place in (str(tmp_path), str(Path.home()), "/tmp/") if f"{place}" in text]


def test_the_readme_has_types_and_thresholds(run: Run) -> None:
    _export(run)
    text = (OUT / "README.md").read_text()
    assert "| pt | 8 | no | 0 | 255 | 0.5 GeV |" in text
    assert "| eta | 8 | yes | -128 | 127 | 0.5 |" in text
    kind = shipped_network(run).type("score")
    assert f"| score (result) | {kind.width} | no | 0 | {kind.code_max} | {kind.lsb} |" in text
    assert f"| 1e-02 | 56789 | {56789 * kind.lsb} | 0.02 [0.01, 0.03] |" in text
    assert '#include "trigger_ad_small_v1.h"' in text


def test_a_run_without_a_working_point_has_no_threshold(run: Run) -> None:
    report = report_for(run)
    next(row for row in report["performance"] if row["model"] == "firmware")["tpr"] = []
    export_emulator(run, report, LibraryNames("small"), OUT)
    text = (OUT / "README.md").read_text()
    assert "there is no threshold" in text
    assert "threshold code |" not in text


def test_an_emulator_replaces_an_older_one_and_what_was_built_of_it(run: Run) -> None:
    _export(run)
    (OUT / "build").mkdir()
    (OUT / "build" / "libtrigger_ad_small_v1.so").write_text("old")
    _export(run, version="1.2")
    assert {path.name for path in OUT.iterdir()} == {name.replace("_v1.", "_v1_2.") for name in FILES} | {
        "manifest.json"
    }
    assert "trigger_ad_small_v1_2_predict" in (OUT / "trigger_ad_small_v1_2.h").read_text()


def test_a_library_that_differs_from_the_reference_is_not_exported(run: Run) -> None:
    path = run.directory.vectors / EXPECTED_WORDS
    expected = np.load(path)
    expected[1234, 0] ^= 1
    np.save(path, expected)
    with pytest.raises(CheckFailed, match=r"the C\+\+ library of small differs .* first on vector 1234"):
        _export(run)
    assert not OUT.exists()


def test_damaged_vectors_are_named(run: Run) -> None:
    path = run.directory.vectors / EXPECTED_WORDS
    np.save(path, np.load(path)[:-1])
    with pytest.raises(UserError, match="vectors is damaged"):
        _export(run)
    assert not OUT.exists()


@pytest.mark.parametrize("key", ["network_digest", "score_type"])
def test_the_report_of_another_network_is_refused(run: Run, key: str) -> None:
    with pytest.raises(UserError, match=r"report\.json is of another network"):
        export_emulator(run, report_for(run) | {key: "ufixed<9,3>"}, LibraryNames("small"), OUT)
    assert not OUT.exists()


def _somebodys_own(kind: str) -> Path:
    """A folder, or what stands in its place, that must stay as it is."""
    if kind == "file":
        OUT.write_text("mine")
    elif kind == "link":
        Path("target").mkdir()
        OUT.symlink_to("target")
    else:
        OUT.mkdir()
        (OUT / "notes.txt").write_text("mine")
        if kind != "folder":
            (OUT / "manifest.json").write_text(kind)
    return OUT


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("file", "emulator is no folder"),
        ("link", "emulator is a link"),
        ("folder", "emulator exists and was not made by 'trigger-ad export'"),
        ("{}", "emulator exists and was not made by 'trigger-ad export'"),
        ("[", "emulator exists and was not made by 'trigger-ad export'"),
        ('{"generator": "trigger-ad export", "files": null}', "emulator exists and was not made by"),
        ('{"generator": "trigger-ad export", "files": {}}', "emulator holds notes.txt, which 'trigger-ad export' did"),
    ],
)
def test_what_is_somebodys_own_is_left_as_it_is(run: Run, kind: str, said: str) -> None:
    out = _somebodys_own(kind)
    before = tree_digest(Path())
    for refused in (lambda: check_out(out), lambda: _export(run, out=out)):
        with pytest.raises(UserError) as caught:
            refused()
        assert caught.value.what.startswith(said)
    assert tree_digest(Path()) == before


@pytest.mark.parametrize("out", [".", "..", "/", "run/.."])
def test_the_working_folder_is_refused(run: Run, out: str) -> None:
    with pytest.raises(UserError, match="is the working folder, or above it"):
        check_out(Path(out))


def test_a_name_that_is_too_long(run: Run) -> None:
    with pytest.raises(UserError, match=r"cannot be written \(File name too long\)"):
        check_out(Path("e" * 300))


@pytest.mark.parametrize("out", ["new", "new/deep", "empty"])
def test_a_folder_that_is_new_or_empty_is_taken(run: Run, out: str) -> None:
    Path("empty").mkdir()
    check_out(Path(out))
    _export(run, out=Path(out))
    check_out(Path(out))
