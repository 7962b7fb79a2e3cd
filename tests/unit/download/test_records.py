"""Which file of a record is taken, and what a record must say about it."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from support.record_server import entry

from trigger_ad.download.records import PUBLIC_FILES, PublicFile, RemoteFile, choose_file
from trigger_ad.errors import UserError

MD5 = "0123456789abcdef0123456789abcdef"
ATO4L = PUBLIC_FILES["ato4l"]


def _file(name: str) -> RemoteFile:
    return RemoteFile(name, 1000, MD5, f"https://zenodo.org/api/records/5046446/files/{name}/content")


def _record(*names: str) -> dict[str, Any]:
    return {"files": [entry(_file(name)) for name in names]}


@pytest.mark.parametrize(
    ("name", "record", "file_name"),
    [
        ("background", 5046389, "background_for_training.h5"),
        ("ato4l", 5046446, "Ato4l_lepFilter_13TeV_filtered.h5"),
        ("leptoquark", 5055454, "leptoquark_LOWMASS_lepFilter_13TeV_filtered.h5"),
        ("htotautau", 5061633, "hToTauTau_13TeV_PU20_filtered.h5"),
        ("hchtotaunu", 5061688, "hChToTauNu_13TeV_PU20_filtered.h5"),
        ("blackbox", 5072068, "BlackBox_background_mix.h5"),
    ],
)
def test_the_six_records(name: str, record: int, file_name: str) -> None:
    public = PUBLIC_FILES[name]
    assert (public.record, public.file_name) == (record, file_name)
    assert public.address == f"https://zenodo.org/api/records/{record}"


@pytest.mark.parametrize("public", PUBLIC_FILES.values(), ids=lambda public: public.name)
def test_a_file_is_found_with_and_without_filtered_in_its_name(public: PublicFile) -> None:
    stem = public.file_name.removesuffix(".h5").removesuffix("_filtered")
    for name in (f"{stem}.h5", f"{stem}_filtered.h5"):
        assert choose_file(public, _record("README.md", "other.h5", name)) == _file(name)


def test_the_usual_name_is_preferred() -> None:
    record = _record("Ato4l_lepFilter_13TeV.h5", ATO4L.file_name)
    assert choose_file(ATO4L, record).name == ATO4L.file_name


def test_the_only_hdf5_file_of_a_record_is_taken_and_that_is_said(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    assert choose_file(ATO4L, _record("readme.txt", "renamed.h5")) == _file("renamed.h5")
    assert caplog.messages == [
        "record 5046446 has no Ato4l_lepFilter_13TeV_filtered.h5; renamed.h5, its only HDF5 file, is taken"
    ]


@pytest.mark.parametrize(
    ("names", "listed"),
    [(["a.h5", "b.h5"], "a.h5, b.h5"), (["a.txt"], "a.txt"), ([], "no files")],
)
def test_a_record_without_the_file_is_an_error_that_lists_what_is_there(names: list[str], listed: str) -> None:
    with pytest.raises(UserError) as caught:
        choose_file(ATO4L, _record(*names))
    assert caught.value.what == f"record 5046446 has no Ato4l_lepFilter_13TeV_filtered.h5 (it has: {listed})"
    assert "https://zenodo.org/records/5046446" in caught.value.remedy


@pytest.mark.parametrize("record", [None, [], {}, {"files": None}, {"files": {"entries": {}}}, "text"])
def test_a_document_that_lists_no_files(record: Any) -> None:
    with pytest.raises(UserError, match="record 5046446 lists no files"):
        choose_file(ATO4L, record)


@pytest.mark.parametrize(
    ("key", "value", "complaint"),
    [
        ("size", None, "the size None"),
        ("size", 0, "the size 0"),
        ("size", "1000", "the size '1000'"),
        ("size", True, "the size True"),
        ("checksum", MD5, "which is no md5"),
        ("checksum", f"sha256:{MD5}", "which is no md5"),
        ("checksum", None, "the checksum None"),
        ("links", {}, "does not say where"),
        ("links", None, "does not say where"),
    ],
)
def test_what_a_record_must_say_about_its_file(key: str, value: Any, complaint: str) -> None:
    record = _record(ATO4L.file_name)
    record["files"][0][key] = value
    with pytest.raises(UserError, match=complaint):
        choose_file(ATO4L, record)


@pytest.mark.parametrize("name", ["../stolen.h5", "/etc/stolen.h5", "a/b.h5", "a\\b.h5", ".hidden.h5", "a\nb.h5"])
def test_a_name_that_leads_elsewhere_is_refused(name: str) -> None:
    with pytest.raises(UserError, match="is no plain file name"):
        choose_file(ATO4L, _record(name))


def test_the_checksum_is_compared_in_lower_case() -> None:
    record = _record(ATO4L.file_name)
    record["files"][0]["checksum"] = f"md5:{MD5.upper()}"
    assert choose_file(ATO4L, record).md5 == MD5
