# SPDX-License-Identifier: GPL-2.0-only
"""What a command line comes to mean: above all, which config fragments."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kzc.cli.job import marked, understand
from kzc.cli.options import Asked
from kzc.errors import UsageError
from kzc.kernel.profile import find_profile
from kzc.shared import shared_folder
from tests.fakelinux import make_series

PROFILE = [
    f"{name}.config" for name in find_profile("default", shared_folder("kconfigs")).fragments
]
SUITE = """\
name = "own"
title = "t"
guest = "mini"
fragments = ["debug.config"]

[[commands]]
name = "x"
run = "true"
parser = "exit"
"""


def test_a_stream_s_folder_has_to_be_there(kernel: Path) -> None:
    for name in ("nowhere/x", "."):
        with pytest.raises(UsageError, match="--stream"):
            understand(Asked(stream=Path(name)), with_suites=False)


def carried(kernel: Path, fragments: str) -> Path:
    """A folder like patches/ with one series, `three`, that wants these fragments."""
    patches = kernel.parent / "patches"
    make_series(kernel, patches / "three" / "6.12")
    (patches / "three" / "series.toml").write_text(
        f'title = "t"\nfragments = {fragments}\nsuites = ["vsock"]\n[bases."6.12"]\n'
    )
    return patches


@pytest.mark.parametrize("name", ["compat", "compat.config"])
def test_fragments_of_a_series_come_after_the_profiles_and_before_the_suites(
    kernel: Path, name: str
) -> None:
    patches = carried(kernel, f'["net", "{name}"]')
    suite = kernel.parent / "own"
    suite.mkdir()
    (suite / "suite.toml").write_text(SUITE)
    own = kernel.parent / "last.config"
    own.write_text("CONFIG_LAST=y\n")
    job = understand(Asked(series="three", suites=(str(suite),), config=[own]), patches=patches)
    found = [fragment.name for fragment in job.wanted.fragments]
    assert found == [*PROFILE, "compat.config", "debug.config", "last.config"]
    assert "CONFIG_" in job.wanted.fragments[len(PROFILE)].text


def test_a_series_brings_its_fragments_where_no_suite_is_run_too(kernel: Path) -> None:
    patches = carried(kernel, '["compat"]')
    job = understand(Asked(series="three"), with_suites=False, patches=patches)
    assert [fragment.name for fragment in job.wanted.fragments] == [*PROFILE, "compat.config"]
    assert job.suites == ()


def test_a_carried_series_brings_its_suites(kernel: Path) -> None:
    job = understand(Asked(series="three"), patches=carried(kernel, "[]"))
    assert [suite.name for suite in job.suites] == ["vsock"]


def test_a_fragment_that_is_not_there_is_named_with_file_and_field(kernel: Path) -> None:
    patches = carried(kernel, '["compat", "nonsense"]')
    with pytest.raises(UsageError) as error:
        understand(Asked(series="three"), patches=patches)
    assert error.value.message.startswith(f"{patches / 'three' / 'series.toml'}: fragments: ")
    assert "nonsense.config" in error.value.message
    assert "compat" in error.value.hint


def test_faults_take_their_profile_unless_another_is_asked_for(kernel: Path) -> None:
    job = understand(Asked(suites=("vsock",), faults=True))
    assert job.facts["profile"] == "fault"
    assert job.faults is not None
    assert job.faults.rounds == job.faults.rules.every
    job = understand(Asked(suites=("vsock",), fault_every=[7], profile="debug"))
    assert job.facts["profile"] == "debug"
    assert job.faults is not None
    assert job.faults.rounds == (7,)
    assert understand(Asked(suites=("vsock",), profile="fault")).faults is None


def test_faults_are_for_one_guest(kernel: Path) -> None:
    with pytest.raises(UsageError, match="not for --topology nested"):
        understand(Asked(suites=("vsock",), faults=True, topology="nested"))


def has_it(patches: Path, text: str = "int socket_7;") -> Path:
    """The same, and the series says that a tree with that text in net/socket.c has it."""
    file = patches / "three" / "series.toml"
    mark = f'upstream_since = "v6.7"\npresent = [{{ file = "net/socket.c", has = "{text}" }}]\n'
    file.write_text(mark + file.read_text())
    return patches


def test_a_tree_that_has_the_series_gets_no_patches_but_its_suites(kernel: Path) -> None:
    job = understand(Asked(series="three"), patches=has_it(carried(kernel, '["compat"]')))
    assert job.series is None
    assert job.present is not None
    assert job.present.places == ("net/socket.c:7",)
    assert [suite.name for suite in job.suites] == ["vsock"]
    assert "compat.config" in [fragment.name for fragment in job.wanted.fragments]
    assert job.facts["series"] == "three"
    assert "series_key" not in job.facts


def test_what_works_on_patches_says_that_there_are_none(kernel: Path) -> None:
    job = understand(Asked(series="three"), patches=has_it(carried(kernel, "[]")))
    with pytest.raises(
        UsageError, match=r"already \(since v6.7\): .* and nothing to check"
    ) as error:
        job.patches("check")
    assert "kzc run three" in error.value.hint


def test_a_tree_without_it_gets_the_patches(kernel: Path) -> None:
    patches = has_it(carried(kernel, "[]"), "int socket_99;")
    job = understand(Asked(series="three"), patches=patches)
    assert job.present is None
    assert len(job.patches("check").patches) == 3


def test_a_tree_that_no_base_fits_may_have_it_all_the_same(kernel: Path) -> None:
    patches = has_it(carried(kernel, "[]"))
    file = patches / "three" / "series.toml"
    (patches / "three" / "6.12").rename(patches / "three" / "6.1")
    file.write_text(file.read_text().replace('"6.12"', '"6.1"'))
    assert understand(Asked(series="three"), patches=patches).present is not None
    file.write_text(file.read_text().replace("socket_7;", "socket_99;"))
    with pytest.raises(UsageError, match=r"no patches for 6\.12\.117; it does for 6\.1"):
        understand(Asked(series="three"), patches=patches)


def test_a_series_from_elsewhere_brings_no_fragments(kernel: Path) -> None:
    mails = make_series(kernel, kernel.parent / "mails")
    job = understand(Asked(series=str(mails)), with_suites=False)
    assert [fragment.name for fragment in job.wanted.fragments] == PROFILE


def measured(kernel: Path) -> Path:
    """The same with an overlay, `bench`, of another patch."""
    patches = carried(kernel, "[]")
    folder = patches / "bench" / "6.12"
    make_series(kernel, folder)
    (mail,) = folder.glob("0001-*.patch")
    text = re.sub(
        r"Subject: \[PATCH .*?\] ", "Subject: [PATCH] measure: ", mail.read_text(), count=1
    )
    for file in folder.iterdir():
        file.unlink()
    mail.write_text(text)
    (patches / "bench" / "series.toml").write_text(
        'title = "t"\nmeasurement_only = true\n[bases."6.12"]\n'
    )
    return patches


def test_an_overlay_comes_after_the_series_and_marks_the_run(kernel: Path) -> None:
    patches = measured(kernel)
    plain = understand(Asked(series="three"), with_suites=False, patches=patches)
    assert "measurement_only" not in plain.facts
    job = understand(Asked(series="three", overlay="bench"), with_suites=False, patches=patches)
    assert job.facts["measurement_only"] == "bench"
    assert job.facts["series"] == "three with bench"
    assert job.series is not None
    assert plain.series is not None
    assert job.series.patches[:-1] == plain.series.patches


def test_an_overlay_without_a_series_and_a_folder_with_its_patch_are_marked(kernel: Path) -> None:
    patches = measured(kernel)
    alone = Asked(overlay="bench")
    folder = Asked(series=str(patches / "bench" / "6.12"))
    for asked in (alone, folder, Asked(series="bench")):
        job = understand(asked, with_suites=False, patches=patches)
        assert job.facts["measurement_only"] == "bench"


def test_what_was_noted_of_a_ready_kernel_marks_the_run(kernel: Path) -> None:
    job = understand(Asked(), with_suites=False)
    assert "measurement_only" not in marked(job, ()).facts
    assert marked(job, (), noted=("bench",)).facts["measurement_only"] == "bench"


def test_a_series_that_is_no_overlay_is_refused(kernel: Path) -> None:
    with pytest.raises(UsageError, match="three is no overlay") as caught:
        understand(Asked(overlay="three"), with_suites=False, patches=measured(kernel))
    assert "there are: bench" in caught.value.hint
