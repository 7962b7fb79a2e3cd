"""How many random networks are drawn, and from which seeds."""

from __future__ import annotations

import pytest
from support.fuzzing import TALLY
from support.portions import Portion

NETWORKS = {"keras": 12, "native": 6, "hls": 5}
"""Of `make test`."""
PORTION = {"keras": 50, "native": 20, "hls": 20}
"""Networks that one seed draws."""
SHARE = {"keras": 1.0, "native": 0.5, "hls": 0.1}
"""Of `--networks`: compilers take longer."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Gives `keras_portion` and its like the portions that the options ask for."""
    wanted, seed = metafunc.config.getoption("--networks"), metafunc.config.getoption("--seed")
    for kind in NETWORKS:
        if f"{kind}_portion" in metafunc.fixturenames:
            networks = NETWORKS[kind] if wanted is None else round(wanted * SHARE[kind])
            sizes = [min(PORTION[kind], networks - start) for start in range(0, networks, PORTION[kind])]
            portions = [Portion(seed + index, size) for index, size in enumerate(sizes)]
            metafunc.parametrize(f"{kind}_portion", portions, ids=[f"seed {portion.seed}" for portion in portions])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Says how many networks went through what, where they were asked for."""
    if config.getoption("--networks") is not None:
        for what, count in TALLY.items():
            terminalreporter.write_line(f"{count:,} {what}")
