"""An exported emulator in the hands of others: built without Python, loaded, linked, and beside another version."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from support.exports import INTERFACE, make, make_exportable, read_vectors_text, report_for
from support.native import FAST
from support.runs import Command, tree_digest

from trigger_ad.native.source import LibraryNames
from trigger_ad.pipeline.export import export_emulator
from trigger_ad.tools import require_compiler

RUN = Path("hls_projects/study")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two versions of an emulator, each of another network, both built."""
    folder = tmp_path_factory.mktemp("made")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("trigger_ad.native.build.PORTABLE_FLAGS", FAST)
        for seed in (1, 2):
            (folder / f"run_{seed}").mkdir()
            run = make_exportable(folder / f"run_{seed}", seed)
            names = LibraryNames("small", str(seed))
            export_emulator(run, report_for(run), names, folder / f"emulator_v{seed}")
            done = make(folder / f"emulator_v{seed}", "all")
            assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def emulator(made: Path, tmp_path: Path) -> Path:
    """A copy of the first version, as it is when it has been built and taken elsewhere."""
    return Path(shutil.copytree(made / "emulator_v1", tmp_path / "taken elsewhere"))


@pytest.fixture
def without_python(tmp_path: Path) -> dict[str, str]:
    """An environment with a compiler, make and little else."""
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "g++").symlink_to(require_compiler().resolve())
    for name in ("make", "as", "ld", "mkdir", "rm"):
        found = shutil.which(name)
        assert found is not None
        (programs / name).symlink_to(Path(found).resolve())
    return {"PATH": str(programs)}


def test_it_is_built_and_tested_without_python(emulator: Path, without_python: dict[str, str]) -> None:
    shutil.rmtree(emulator / "build")
    assert shutil.which("python3", path=without_python["PATH"]) is None
    done = make(emulator, "test", environment=without_python)
    assert done.returncode == 0, done.stderr
    vectors = json.loads((emulator / "manifest.json").read_text())["vectors"]["shipped"]
    assert (
        f"{vectors} vectors: every score word is as expected: at once, the last ones alone, and in 4 threads"
        in done.stdout
    )


@pytest.mark.parametrize("vector", [0, 777, -1])
def test_a_score_word_that_is_not_as_expected_fails_the_test(emulator: Path, vector: int) -> None:
    lines = (emulator / "vectors.txt").read_text().splitlines()
    index = range(1, len(lines))[vector]
    *words, score = lines[index].split()
    lines[index] = " ".join([*words, str(int(score) ^ 1)])
    (emulator / "vectors.txt").write_text("\n".join(lines) + "\n")
    done = make(emulator, "test")
    assert done.returncode != 0
    assert f"FAILED: vector {index - 1}: score word {score}, expected {int(score) ^ 1}\n" in done.stderr


@pytest.mark.parametrize("damage", ["cut", "more", "letters", "empty"])
def test_vectors_that_are_damaged_are_no_success(emulator: Path, damage: str) -> None:
    path = emulator / "vectors.txt"
    text = path.read_text()
    path.write_text({"cut": text[:-20], "more": text + "1\n", "letters": text + "x\n", "empty": ""}[damage])
    done = make(emulator, "test")
    assert done.returncode != 0
    assert "these are no vectors of small 1; give vectors.txt" in done.stderr


def test_a_library_of_another_network_fails_the_test(made: Path, emulator: Path) -> None:
    """Of the same name and version: sources that were mixed up."""
    other = (made / "emulator_v2" / "trigger_ad_small_v2.cpp").read_text().replace("small_v2", "small_v1")
    (emulator / "trigger_ad_small_v1.cpp").write_text(other)
    done = make(emulator, "test")
    assert done.returncode != 0
    assert "FAILED: the library is not the one that was exported" in done.stderr


_PROGRAM = """
import importlib.util, json, sys
import numpy as np

sys.modules["trigger_ad"] = None  # importing it is an error
answers = []
emulators = []
for number, folder in enumerate(sys.argv[1:]):
    spec = importlib.util.spec_from_file_location(f"loader_{number}", f"{folder}/loader.py")
    loader = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = loader
    spec.loader.exec_module(loader)
    emulators.append((folder, loader.Emulator()))
for folder, emulator in emulators:
    words = np.loadtxt(f"{folder}/vectors.txt", dtype=np.int64, skiprows=1)[:, :-1]
    with emulator:
        answers.append(emulator.scores(words).tolist())
        types = [list(kind) for kind in emulator.word_types[:2]]
print(json.dumps({"answers": answers, "types": types}))
"""


def _in_python(program: str, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    command = [sys.executable, "-W", "error", "-c", program, *arguments]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)


def test_two_versions_in_one_process_give_each_their_own_answers(made: Path, tmp_path: Path) -> None:
    folders = [made / "emulator_v1", made / "emulator_v2"]
    done = _in_python(_PROGRAM, *map(str, folders), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    expected = [read_vectors_text(folder / "vectors.txt")[1][:, 0].tolist() for folder in folders]
    assert found["answers"] == expected
    assert expected[0] != expected[1]
    assert found["types"] == [["pt", 8, 0, False, 0, 255], ["eta", 8, 0, True, -128, 127]]


@pytest.mark.parametrize("kind", ["uint8", "int16", "int32", "uint32", ">i4", "int64", "uint64"])
def test_the_loader_takes_words_of_any_integer_type(emulator: Path, kind: str) -> None:
    program = f"""
import numpy as np
from loader import Emulator
words = np.ones((3, 6), dtype="{kind}")
with Emulator() as emulator:
    print(emulator.scores(words).tolist(), emulator.scores(np.ones((3, 6), dtype=int)).tolist())
    for wrong in (256, 2**32 + 1):
        if wrong <= np.iinfo("{kind}").max:
            words[1, 3] = wrong
            try:
                emulator.scores(words)
            except ValueError as error:
                print(error)
"""
    done = _in_python(program, cwd=emulator)
    assert done.returncode == 0, done.stderr
    first, *errors = done.stdout.splitlines()
    half = len(first) // 2
    assert first[:half] == first[half + 1 :]
    sizes = [wrong for wrong in (256, 2**32 + 1) if wrong <= np.iinfo(kind).max]
    assert errors == [f"event 1 has a word outside its type: [1, 1, 1, {wrong}, 1, 1]" for wrong in sizes]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            "scores(np.zeros((2, 7), dtype=int))",
            "ValueError: int64 of shape (2, 7) are not integers of shape (events, 6)",
        ),
        ("scores(np.zeros((2, 6)))", "ValueError: float64 of shape (2, 6) are not integers of shape (events, 6)"),
        ("close() or emulator.scores(np.zeros((2, 6), dtype=int))", "ValueError: the emulator has been closed"),
    ],
)
def test_the_loader_refuses_what_are_no_words(emulator: Path, given: str, said: str) -> None:
    program = f"import numpy as np; from loader import Emulator; emulator = Emulator(); emulator.{given}"
    assert _in_python(program, cwd=emulator).stderr.splitlines()[-1] == said


def test_the_loader_refuses_a_library_that_is_missing_or_another_one(made: Path, emulator: Path) -> None:
    other = made / "emulator_v2" / "build" / "libtrigger_ad_small_v2.so"
    done = _in_python(f"from loader import Emulator; Emulator({str(other)!r})", cwd=emulator)
    assert done.stderr.splitlines()[-1] == f"RuntimeError: {other} is no library of small, version 1"
    # of the same name and version
    source = (made / "emulator_v2" / "trigger_ad_small_v2.cpp").read_text().replace("small_v2", "small_v1")
    (emulator / "trigger_ad_small_v1.cpp").write_text(source.replace('return "2"', 'return "1"'))
    assert make(emulator).returncode == 0
    done = _in_python("from loader import Emulator; Emulator()", cwd=emulator)
    assert "so has another network digest (" in done.stderr.splitlines()[-1]
    make(emulator, "clean")
    done = _in_python("from loader import Emulator; Emulator()", cwd=emulator)
    assert done.stderr.splitlines()[-1].endswith("libtrigger_ad_small_v1.so is missing: build it with 'make'")


def test_cms_software_loads_two_versions(made: Path, tmp_path: Path) -> None:
    """Through an interface of the same methods: its loader finds two functions in each library, and no other name."""
    arguments = []
    for version in (1, 2):
        folder = made / f"emulator_v{version}"
        done = make(folder, "cms", f"EMULATOR_INCLUDE={INTERFACE}")
        assert done.returncode == 0, done.stderr
        arguments += [str(folder / "build" / f"trigger_ad_small_v{version}_cms.so"), str(folder / "vectors.txt")]
    program = tmp_path / "load_models"
    source = str(INTERFACE / "load_models.cpp")
    flags = ["-std=c++17", "-I", str(INTERFACE), source, "-o", str(program), "-ldl"]
    subprocess.run([str(require_compiler()), *flags], check=True)
    loaded = subprocess.run([str(program), *arguments], capture_output=True, text=True, check=False)
    assert (loaded.returncode, loaded.stdout, loaded.stderr) == (0, "2 models\n", "")
    # the wrong vectors: the program does compare
    crossed = [arguments[0], arguments[3], arguments[2], arguments[1]]
    assert "differs" in subprocess.run([str(program), *crossed], capture_output=True, text=True, check=False).stderr


def test_the_adaptor_needs_the_folder_of_the_interface(emulator: Path, tmp_path: Path) -> None:
    missing = make(emulator, "cms")
    assert missing.returncode != 0
    assert "EMULATOR_INCLUDE must be the folder in which emulator.h or hls4ml/emulator.h is" in missing.stderr
    # as older versions of the interface have it
    older = tmp_path / "older interface"
    older.mkdir()
    shutil.copy(INTERFACE / "hls4ml" / "emulator.h", older)
    assert make(emulator, "cms", f"EMULATOR_INCLUDE={older}").returncode == 0
    empty = tmp_path / "empty"
    empty.mkdir()
    assert make(emulator, "cms", f"EMULATOR_INCLUDE={empty}").returncode != 0
    assert not (emulator / "build" / "trigger_ad_small_v1_cms.so").exists()


def test_a_trained_run_is_exported(study: Path, command: Command) -> None:
    before = tree_digest(RUN)
    outcome = command("export", str(RUN), "--out", "emulator")
    assert (outcome.code, outcome.stderr) == (0, [])
    assert outcome.stdout.splitlines()[1] == "Emulator: emulator"
    assert tree_digest(RUN) == before
    done = make(Path("emulator"), "test")
    assert done.returncode == 0, done.stderr
    assert sum(path.stat().st_size for path in Path("emulator").glob("*.*")) < 3_000_000


def test_vectors_that_the_reference_contradicts_end_it(study: Path, command: Command) -> None:
    expected = np.load(RUN / "vectors" / "expected_words.npy")
    expected[17] += 1
    np.save(RUN / "vectors" / "expected_words.npy", expected)
    outcome = command("export", str(RUN), "--out", "emulator")
    assert outcome.code == 1
    assert "vectors/expected_words.npy differs from the reference" in outcome.error
    assert not Path("emulator").exists()
