"""The page of an inspection: says what files are, what is odd first, and is safe to open and to write."""

from __future__ import annotations

import dataclasses
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from support.events import OTHER, make_other_particles, make_particles, write_events, write_other_events

from trigger_ad.config import InputsConfig
from trigger_ad.errors import UserError
from trigger_ad.events.distributions import QUANTITIES, DistributionTally, Resemblance, layout_quantities
from trigger_ad.events.encoding import InputEncoding
from trigger_ad.events.inspection import inspect_file
from trigger_ad.events.layout import JETS, MET, PT
from trigger_ad.report.inspection_page import (
    GENERATOR,
    check_page_path,
    page_warnings,
    render_inspection,
    smallest_separation,
    write_inspection_page,
)
from trigger_ad.report.inspection_tables import InspectedFile

EVIL = "<script>alert('1')</script>`x`"
VOID = {"meta", "br", "img", "use", "path", "rect"}


class Page(HTMLParser):
    """Collects a page's tags and text, and checks that every element is closed where it should be."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    @property
    def words(self) -> str:
        return " ".join(" ".join(self.text).split())


def inspected(folder: Path, label: str, particles: NDArray[np.float64]) -> InspectedFile:
    path = write_events(folder / "events.h5", particles, compression=None)
    tally = DistributionTally()
    inspection = inspect_file(path, observers=[lambda chunk: tally.add(chunk.particles)])
    return InspectedFile(label, inspection, tally.result(), f"digest of {label}")


def harder(particles: NDArray[np.float64], factor: float) -> NDArray[np.float64]:
    """Return the same events with another pT scale and fewer jets."""
    changed = particles.copy()
    changed[..., PT] *= factor
    changed[:, JETS.start + 1 :] = 0
    return changed


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> list[InspectedFile]:
    """A sample whose signal is harder than its background."""
    folder = tmp_path_factory.mktemp("sample")
    return [
        inspected(folder, "Background", make_particles(1500, seed=11)),
        inspected(folder, "A → 4l", harder(make_particles(1500, seed=12), 2)),
    ]


@pytest.fixture(scope="module")
def signal(tmp_path_factory: pytest.TempPathFactory) -> InspectedFile:
    """A file of other events of the signal."""
    folder = tmp_path_factory.mktemp("signal")
    return inspected(folder, "mine.h5", harder(make_particles(1500, seed=21), 2))


@pytest.fixture(scope="module")
def text(sample: list[InspectedFile], signal: InspectedFile) -> str:
    """The page of two files, drawn once."""
    return render_inspection([signal, dataclasses.replace(sample[0], label="other.h5")], sample)


@pytest.fixture
def no_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trigger_ad.report.inspection_page.inspection_figures", lambda files, references: [])


def test_the_page_refers_to_nothing_outside_itself_and_runs_nothing(text: str) -> None:
    page = Page(text)
    assert page.open == []
    assert not re.search(r"https?:|@import|url\((?!#)", text)
    assert {tag for tag, _ in page.tags} & {"script", "link", "iframe", "object", "embed", "img"} == set()
    for _, attributes in page.tags:
        assert not [name for name in attributes if name.startswith("on") or name == "src"]
        assert (attributes.get("href") or "#").startswith("#")


def test_every_identifier_is_there_once_and_every_reference_has_one(text: str) -> None:
    page = Page(text)
    found = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(found) == len(set(found))
    assert {(attributes["href"] or "")[1:] for _, attributes in page.tags if "href" in attributes} <= set(found)


def test_tables_and_figures_can_be_read_without_seeing_them(text: str) -> None:
    page = Page(text)
    names = [tag for tag, _ in page.tags]
    assert names.count("caption") == names.count("table") == 8
    figures = [attributes for tag, attributes in page.tags if tag == "svg"]
    assert len(figures) == names.count("figcaption") == 4
    assert all(attributes["role"] == "img" for attributes in figures)
    for name, attributes in zip(("missing", "electron", "muon", "jet"), figures, strict=True):
        assert name in (attributes["aria-label"] or "")
        assert "mine.h5: " in (attributes["aria-label"] or "")


def test_every_distribution_is_drawn_and_has_a_distance(text: str) -> None:
    for quantity in QUANTITIES.values():
        assert text.count(f">{quantity.title}<") >= 2


def test_the_first_lines_say_what_each_file_is(text: str) -> None:
    words = Page(text).words
    assert "mine.h5 closest to A → 4l 1,500 events; distance 0.0" in words
    assert "other.h5 closest to Background 1,500 events; distance 0.000, next A → 4l 0." in words
    assert words.index("Nothing odd") < words.index("closest to A → 4l") < words.index("Kolmogorov-Smirnov")


def test_digests_and_the_sample_are_named(text: str) -> None:
    words = Page(text).words
    assert "mine.h5 1,500 digest of mine.h5" in words
    assert "Background 1,500 digest of Background" in words
    assert "not the public dataset" in words


@pytest.mark.usefixtures("no_figures")
def test_a_file_without_events_has_a_page(tmp_path: Path, sample: list[InspectedFile]) -> None:
    words = Page(render_inspection([inspected(tmp_path, "empty.h5", make_particles(0))], sample)).words
    assert "empty.h5 holds no events." in words
    assert "nothing to compare" in words
    assert "Nothing odd" not in words


def test_files_without_entries_can_be_drawn(tmp_path: Path, sample: list[InspectedFile]) -> None:
    files = [inspected(tmp_path, "empty.h5", make_particles(0)), inspected(tmp_path, "absent.h5", np.zeros((3, 19, 4)))]
    page = Page(render_inspection(files, sample))
    assert "absent.h5: no_object in 3 events" in page.words
    labels = [attributes["aria-label"] or "" for tag, attributes in page.tags if tag == "svg"]
    assert "pT of all jets none" in labels[3]


@pytest.mark.usefixtures("no_figures")
def test_oddities_come_first_and_in_a_table(tmp_path: Path, sample: list[InspectedFile]) -> None:
    particles = make_particles(1500)
    particles[[4, 7], MET, 1] = 1.0
    words = Page(render_inspection([inspected(tmp_path, "odd.h5", particles)], sample)).words
    assert "odd.h5: met_eta_not_zero in 2 events: the missing transverse energy has" in words
    assert "odd.h5 met_eta_not_zero 2 4 the missing transverse energy has" in words
    assert words.index("in 2 events") < words.index("closest to Background")


def resemblance(mean: float, by_chance: float) -> Resemblance:
    return Resemblance({}, mean, by_chance)


@pytest.mark.parametrize(
    ("mean", "by_chance", "warned"),
    [
        (0.01, 0.02, []),
        (0.099, 0.02, []),
        (0.1, 0.02, ["resembles no sample file: the smallest distance, 0.100 from Background"]),
        (0.01, 0.1, ["too few events to tell"]),
    ],
)
def test_a_distance_is_judged_by_that_between_sample_files(
    signal: InspectedFile, mean: float, by_chance: float, warned: list[str]
) -> None:
    found = {"mine.h5": {"Background": resemblance(mean, by_chance), "A → 4l": resemblance(0.5, 0.02)}}
    warnings = page_warnings([signal], found, separation=0.1)
    assert len(warnings) == len(warned)
    for part, warning in zip(warned, warnings, strict=True):
        assert part in warning


def test_a_file_that_nothing_can_be_compared_of_is_warned_of(signal: InspectedFile) -> None:
    found = {"mine.h5": {"Background": Resemblance({}, None, None)}}
    assert page_warnings([signal], found, 0.1) == ["mine.h5 has nothing that could be compared with the sample."]


def test_the_separation_is_the_smallest_distance_of_two_sample_files(sample: list[InspectedFile]) -> None:
    near, far = sample
    references = {"near": near.distributions, "far": far.distributions, "near again": near.distributions}
    assert smallest_separation(references) == 0
    del references["near again"]
    assert smallest_separation(references) > 0.1


@pytest.mark.usefixtures("no_figures")
def test_text_of_the_user_is_shown_and_never_interpreted(sample: list[InspectedFile], signal: InspectedFile) -> None:
    html = render_inspection([dataclasses.replace(signal, label=EVIL)], sample)
    assert "<script" not in html
    assert EVIL in "".join(Page(html).text)


@pytest.mark.usefixtures("no_figures")
def test_a_page_is_replaced_whole_by_the_next(
    tmp_path: Path, sample: list[InspectedFile], signal: InspectedFile
) -> None:
    path = tmp_path / "page.html"
    write_inspection_page([signal], sample, path)
    first = path.read_text(encoding="utf-8")
    write_inspection_page([dataclasses.replace(signal, label="other.h5")], sample, path)
    assert "<h1>mine.h5</h1>" in first
    assert "<h1>other.h5</h1>" in path.read_text(encoding="utf-8")
    assert [child.name for child in tmp_path.iterdir()] == ["page.html"]


def test_the_mark_that_allows_replacing_a_page_is_near_its_top(text: str) -> None:
    assert GENERATOR in text[:4096]


@pytest.mark.parametrize("content", [b"", b"<html>mine</html>", b"\x89HDF\r\n\x1a\n", b"\xff" * 5000])
def test_a_file_of_the_users_own_is_never_replaced(
    tmp_path: Path, sample: list[InspectedFile], signal: InspectedFile, content: bytes
) -> None:
    path = tmp_path / "page.html"
    path.write_bytes(content)
    with pytest.raises(UserError, match="was not made by 'trigger-ad inspect'"):
        write_inspection_page([signal], sample, path)
    assert path.read_bytes() == content


def test_a_folder_is_no_page(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is a folder"):
        check_page_path(tmp_path)
    check_page_path(tmp_path / "new.html")


def test_a_page_of_another_layout_says_why_there_is_no_comparison(tmp_path: Path) -> None:
    particles = make_other_particles(200)
    tally = DistributionTally(layout_quantities(OTHER, particles))
    tally.add(particles)
    path = write_other_events(tmp_path / "other.h5", particles)
    inspection = inspect_file(path, InputEncoding(InputsConfig(), OTHER))
    text = render_inspection([InspectedFile("mine.h5", inspection, tally.result(), "digest")], [])
    page = Page(text)
    assert page.open == []
    assert "There is no comparison with the shipped sample: its events are in the ADC2021 layout" in page.words
    assert f"that of the configuration ({OTHER})" in page.words
    assert "Nothing odd. The file is sound." in page.words
    assert "mine.h5 sound 200 events" in page.words
    assert "Kolmogorov" not in page.words
    assert "not the public dataset" not in text
    assert [attributes["id"] for tag, attributes in page.tags if tag == "figure"] == [
        "figure-tau",
        "figure-met",
        "figure-jet",
    ]
    identifiers = {attributes["id"] for _, attributes in page.tags if "id" in attributes}
    assert {(attributes["href"] or "")[1:] for _, attributes in page.tags if "href" in attributes} <= identifiers
