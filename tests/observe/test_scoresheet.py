"""The scorecard on paper says in each form what was measured."""

import json
from xml.etree import ElementTree

import pytest

from mksim.machine.options import SHEET_FORMS
from mksim.observe.scorecard import ATTACKS, PROTECTIONS, Affected, Cell
from mksim.observe.scoresheet import FORMS, as_svg, lines, write

HITS = {
    ("NMI", "trust"): Affected(cores=1),
    ("legacy chips", "blind"): Affected(pages=2, devices=("8259", "RTC")),
}
CELLS = [
    Cell(attack, protection, HITS.get((attack, protection), Affected()), violations=3)
    for protection in PROTECTIONS
    for attack in ATTACKS
]


def test_a_line_for_each_attack_and_a_column_for_each_protection():
    head, *rows = lines(CELLS)
    assert head.split() == list(PROTECTIONS)
    assert [row.split("  ")[0] for row in rows] == list(ATTACKS)
    assert "NMI                  1 core  -" in "\n".join(rows)
    assert "legacy chips         -       2 pages, 2 devices  -" in "\n".join(rows)


def test_the_picture_has_a_box_and_words_for_each_cell():
    words = [element.text for element in ElementTree.fromstring(as_svg(CELLS)).iter() if element.text]
    words = [word for word in words if word.strip()]
    assert words.count("nothing") == len(CELLS) - len(HITS)
    assert {"1 core", "2 pages, 2 devices", "BAR over another's"} <= set(words)


def test_a_file_has_the_form_of_its_name(tmp_path):
    write(CELLS, tmp_path / "card.json")
    told = json.loads((tmp_path / "card.json").read_text())
    assert len(told) == len(CELLS)
    nmi = {"attack": "NMI", "protection": "trust", "pages": 0, "cores": 1, "devices": [], "violations": 3}
    assert nmi in told
    write(CELLS, tmp_path / "card.svg")
    assert (tmp_path / "card.svg").read_text() == as_svg(CELLS)
    assert tuple(FORMS) == SHEET_FORMS


@pytest.mark.parametrize(
    ("affected", "words"),
    [
        (Affected(), "-"),
        (Affected(pages=1, cores=2), "1 page, 2 cores"),
        (Affected(devices=("HPET",)), "1 device"),
    ],
)
def test_what_is_affected_in_words(affected, words):
    assert (str(affected), bool(affected)) == (words, words != "-")
