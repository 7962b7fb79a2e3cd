"""Real collisions from Pythia, a few of them: the same seed gives the same events, whatever happens on the way."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support.events import read_particles

pytest.importorskip("pythia8mc")
pytest.importorskip("fastjet")

from trigger_ad.events import layout, writer
from trigger_ad.simulation import chunks, collisions, decay_library, generate, heavy_flavour, processes
from trigger_ad.simulation.chunks import Settings
from trigger_ad.simulation.generate import ChunkTask, Events, GroupIds, Progress

POOL_EVENTS = 60
SMALL_LIBRARY = 6000


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "CHUNK_EVENTS", 5)
    monkeypatch.setattr(decay_library, "DECAYS", SMALL_LIBRARY)
    monkeypatch.setattr(decay_library, "DECAYS_OF_RARE_HADRONS", 1000)
    monkeypatch.setattr(decay_library, "LEPTONLESS_DECAYS", 500)


def silent(progress: Progress) -> None:
    """Progress is of no interest."""


def make(out: Path, process: str, events: int, jobs: int = 1) -> tuple[Events, GroupIds]:
    generate.generate(Settings(process, events, 11, POOL_EVENTS), out, jobs=jobs, report=silent)
    return writer.read_events(out)


def test_two_processes_give_the_same_bytes_as_one(tmp_path: Path) -> None:
    make(tmp_path / "one.h5", "w", 10)
    make(tmp_path / "two.h5", "w", 10, jobs=2)
    assert (tmp_path / "one.h5").read_bytes() == (tmp_path / "two.h5").read_bytes()


def test_an_interrupted_run_goes_on_to_the_same_events(tmp_path: Path) -> None:
    whole = make(tmp_path / "whole.h5", "w", 10)

    def interrupted(task: ChunkTask) -> tuple[Events, GroupIds]:
        if task.chunk.index == 1:
            raise KeyboardInterrupt
        return generate.simulate_chunk(task)

    out = tmp_path / "resumed.h5"
    with pytest.raises(KeyboardInterrupt):
        generate.generate(Settings("w", 10, 11, POOL_EVENTS), out, report=silent, make=interrupted)
    assert not out.exists()
    events, ids = make(out, "w", 10)
    assert np.array_equal(events, whole[0])
    assert np.array_equal(ids, whole[1])


def test_events_are_sound_and_pass_the_lepton_filter(tmp_path: Path) -> None:
    make(tmp_path / "z.h5", "z", 10)
    particles = read_particles(tmp_path / "z.h5")
    pt = particles[:, :, layout.PT]
    leading = np.maximum(pt[:, layout.ELECTRONS.start], pt[:, layout.MUONS.start])
    assert leading.min() > layout.LEPTON_FILTER_PT
    for slots in (layout.ELECTRONS, layout.MUONS, layout.JETS):
        assert np.all(np.diff(pt[:, slots], axis=1) <= 0)
    present = pt > 0
    assert np.array_equal(particles[:, :, layout.CLASS], np.where(present, layout.CLASS_OF_SLOT, 0))
    assert not particles[~present].any()


@pytest.mark.parametrize("name", sorted(processes.PROCESSES))
def test_pythia_accepts_the_settings_of_every_process(name: str) -> None:
    processes.make_pythia(processes.PROCESSES[name].settings, 1)


def test_a_library_holds_whole_decays_with_the_share_of_leptons_of_the_particle_data() -> None:
    library = decay_library.decay_library(521, 1)
    assert library.total == SMALL_LIBRARY
    assert len(library.leptons) == library.leptonic + decay_library.LEPTONLESS_DECAYS
    assert np.all(library.leptons[: library.leptonic] > 0)
    assert not library.leptons[library.leptonic :].any()
    # electrons and muons, from the bottom or the charm quark, or from photons
    assert 0.3 < library.leptonic / library.total < 0.5
    energy = np.add.reduceat(library.momentum[:, 3], library.starts[:-1])
    assert energy.max() < 5.28
    assert 4.0 < energy.mean() < 5.0


def test_a_library_depends_on_its_seed_and_hadron_alone() -> None:
    one = decay_library.decay_library.__wrapped__(511, 1)
    decay_library.decay_library.__wrapped__(411, 1)
    again, other = (decay_library.decay_library.__wrapped__(511, seed) for seed in (1, 2))
    assert np.array_equal(one.momentum, again.momentum)
    assert not np.array_equal(one.momentum[:100], other.momentum[:100])


def test_multijet_chunks_are_the_same_whichever_was_made_before(tmp_path: Path) -> None:
    make(tmp_path / "two.h5", "qcd", 6)
    folder = chunks.chunk_folder(tmp_path / "two.h5")
    decay_library.decay_library.cache_clear()
    task = ChunkTask(chunks.Chunk("qcd", 1, 1), 11, folder)
    expected, _ = writer.read_events(task.chunk.path(folder))
    assert np.array_equal(generate.simulate_chunk(task)[0], expected)


def test_taus_decay_before_hadronisation_to_the_lepton_that_is_kept() -> None:
    source = collisions.direct(processes.PROCESSES["htotautau"], 3)
    for _ in range(3):
        found = next(source).particles
        assert collisions.may_trigger(found).any()
        # hadronised: far more than what taus decay to
        assert len(found) > 30


def test_multijet_collisions_have_a_lepton_and_keep_momentum_in_balance() -> None:
    source = heavy_flavour.HeavyFlavourSource(processes.PROCESSES["qcd"], 3, 1, np.random.default_rng(3)).collisions()
    for _ in range(2):
        found = next(source).particles
        assert collisions.may_trigger(found).any()
        # only neutrinos are missing
        assert abs(np.sum(found.pt * np.exp(1j * found.phi))) < 0.5 * np.sum(found.pt)
