"""What is compiled is the project's own: the same files, and the same literals in its weights."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from trigger_ad.emulation.hls_sources import copy_for_compilation, quickly_compiled
from trigger_ad.tools import require_compiler

HEADER = """\
//Numpy array shape [2, 2]
//Min -0.375000000000

#ifndef W2_H_
#define W2_H_

latent_weight_t w2[4] = {0.125, -0.375, 1, 0.0000152587890625};


#endif
"""

PROGRAM = """\
#include <iostream>
struct latent_weight_t {
    double value;
    latent_weight_t() : value(-1) {}
    latent_weight_t(double literal) : value(literal) {}
};
#include "w2.h"
int main() {
    std::cout.precision(17);
    for (int i = 0; i < 4; i++)
        std::cout << w2[i].value << ' ';
}
"""


def _values(header: str, folder: Path) -> list[float]:
    (folder / "w2.h").write_text(header)
    (folder / "program.cpp").write_text(PROGRAM)
    command = [str(require_compiler()), "-std=c++11", "-Wall", "-Werror", "-o", "program", "program.cpp"]
    subprocess.run(command, cwd=folder, check=True)
    said = subprocess.run([folder / "program"], capture_output=True, text=True, check=True).stdout
    return [float(number) for number in said.split()]


def test_a_loop_fills_in_the_same_literals(tmp_path: Path) -> None:
    quick = quickly_compiled(HEADER)
    # no initialiser of the array itself is left
    assert "latent_weight_t w2[4];" in quick
    assert _values(quick, tmp_path) == _values(HEADER, tmp_path) == [0.125, -0.375, 1, 2**-16]


def test_a_changed_literal_is_compiled(tmp_path: Path) -> None:
    changed = quickly_compiled(HEADER.replace("-0.375,", "-0.25,"))
    assert _values(changed, tmp_path) == [0.125, -0.25, 1, 2**-16]


@pytest.mark.parametrize("text", ["", "#define ONE 1\n", "int table[2][2] = {{1, 2}, {3, 4}};\n"])
def test_what_has_another_form_stays_as_it_is(text: str) -> None:
    assert quickly_compiled(text) == text


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    for name in ("top_test.cpp", "firmware/top.cpp", "firmware/top.h", "firmware/nnet_utils/nnet_common.h"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"// {name}\n")
    (folder / "firmware" / "weights").mkdir()
    (folder / "firmware" / "weights" / "w2.h").write_text(HEADER)
    (folder / "firmware" / "ap_types").mkdir()
    return folder


def test_everything_else_is_the_projects(project: Path, tmp_path: Path) -> None:
    before = Path(shutil.copytree(project, tmp_path / "before"))
    copy = tmp_path / "copy"
    copy.mkdir()
    sources = copy_for_compilation(project, copy)
    assert [path.relative_to(copy).as_posix() for path in sources] == ["top_test.cpp", "firmware/top.cpp"]
    found = {path.relative_to(copy).as_posix(): path.read_text() for path in copy.rglob("*") if path.is_file()}
    wanted = {path.relative_to(before).as_posix(): path.read_text() for path in before.rglob("*") if path.is_file()}
    assert {name for name in wanted if found[name] != wanted[name]} == {"firmware/weights/w2.h"}
    assert re.sub(r"\s", "", "0.125, -0.375, 1, 0.0000152587890625") in re.sub(
        r"\s", "", found["firmware/weights/w2.h"]
    )
    # the project that is handed over is left alone
    assert {path.read_text() for path in project.rglob("w2.h")} == {HEADER}
