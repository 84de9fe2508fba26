import dataclasses
import re
from functools import lru_cache

import pytest

from tests import builders
from weakreset.parameter_file import majumdar2021
from weakreset.report import ReportInput, build_report
from weakreset.traces import TraceSet
from weakreset.validation import Verdict, pool, validate


@lru_cache(maxsize=1)
def verdict() -> Verdict:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pool, "_POOL_SIZE", 200)
        return validate(majumdar2021(), builders.small_fits().traces, n_replicas=719)


@lru_cache(maxsize=1)
def full_report() -> str:
    caveat = "Standard errors assume <white> noise."
    return build_report(
        ReportInput(
            title="Lot <7>",
            fits=dataclasses.replace(builders.small_fits(), caveat=caveat),
            population=builders.small_population(),
            params=builders.small_parameters(),
            verdict=verdict(),
            runs=builders.runs(),
            summary=("Everything <ran>.",),
            commands=("weakreset fit <lab> -o p.json",),
        )
    )


SECTIONS = ("fits", "excluded", "noise", "laws", "validation", "training", "provenance")


def sections(page: str) -> set[str]:
    return set(re.findall(r'<section id="(\w+)"', page))


def test_a_full_report_has_every_section():
    assert sections(full_report()) == {"summary", *SECTIONS}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (ReportInput("empty"), {"summary"}),
        (ReportInput("params", params=majumdar2021()), {"summary", "noise", "laws", "provenance"}),
        (ReportInput("training", runs=builders.runs()), {"summary", "training"}),
    ],
    ids=lambda value: value.title if isinstance(value, ReportInput) else "",
)
def test_sections_appear_only_where_their_part_exists(content, expected):
    assert sections(build_report(content)) == expected


def test_names_from_files_are_escaped():
    page = full_report()
    assert builders.HOSTILE not in page
    assert "&lt;script&gt;document.title=&#39;owned&#39;&lt;/script&gt;" in page
    assert page.count("<script") == page.count("</script>") == 6  # data and five scripts
    for raw in ("<lot>", "<7>", "<ran>", "<lab>", "<white>", "<01>", "<b>all"):
        assert raw not in page


def test_the_page_loads_nothing_from_elsewhere():
    page = full_report()
    assert "default-src 'none'" in page
    sources = re.findall(r"""\b(?:src|href|srcset|action|data)\s*=\s*["']?([^"'\s>]*)""", page)
    assert sources
    assert all(source.startswith(("data:", "#")) for source in sources)
    assert "@import" not in page
    assert "url(" not in page


def test_the_caveat_stands_next_to_every_table_of_standard_errors():
    assert full_report().count("Standard errors assume &lt;white&gt; noise.") == 3


def test_simulated_data_is_announced_and_measured_data_is_not():
    assert "SIMULATED DATA" in full_report()
    assert "SIMULATED DATA" not in build_report(ReportInput("preset", params=majumdar2021()))
    measured = TraceSet(builders.small_fits().traces.traces)
    assert 'class="banner"' not in build_report(ReportInput("measured", traces=measured))


def test_every_excluded_device_and_reading_is_named_with_its_reason():
    page = full_report()
    assert "stuck&lt;01&gt;" in page
    assert "resistance does not change" in page
    assert "reading at pulse 17" in page
    assert "(value -3.2)" in page


def test_a_number_that_cannot_be_known_is_a_dash_with_a_reason():
    fits = builders.small_fits()
    unresolved = [fit for fit in fits if fit.status.value == "beyond_or_undetected"]
    assert unresolved
    name = unresolved[-1].device
    row = re.search(rf'<tr><th scope="row">{name}</th>.*?</tr>', full_report()).group()
    assert re.search(r'<td title="[^"]+">–</td>', row)


def test_every_device_has_a_row_and_every_check_a_sentence():
    page = full_report()
    table = page[page.index('class="sortable devices"') :].split("</table>")[0]
    assert table.count('<th scope="row">') == len(builders.small_fits())
    for check in verdict().checks:
        assert check.name in page
    assert verdict().sentence in page


def test_every_picture_has_words_for_those_who_do_not_see_it():
    pictures = re.findall(r"<img [^>]*>", full_report())
    assert len(pictures) >= 7
    assert all(re.search(r'alt="[^"]{10,}"', picture) for picture in pictures)


def test_a_full_report_stays_small():
    assert len(full_report().encode()) < 6_000_000


def test_the_same_content_gives_the_same_page():
    content = ReportInput("preset", params=majumdar2021(), runs=builders.runs())
    assert build_report(content) == build_report(content)
