"""The report: one file that says what happened, whatever guests have said; looked at in a real browser."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from mksim.cli import main
from mksim.machine.machine import Machine
from mksim.observe.evidence import Evidence, busy, levels
from mksim.observe.report import page
from tests.conftest import needs
from tests.guest.booting import ROOT, scenario_layout
from tests.machine.guests import HALT, layout, leave
from tests.observe.browser import BROWSER, Page, browsing

CARD = [
    {"attack": attack, "protection": name, "pages": pages, "cores": 0, "devices": []}
    for attack, name, pages in (("read", "trust", 3), ("read", "guard", 0))
]


def line_of(file: str, text: str) -> int:
    lines = (ROOT / file).read_text().splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Record and report the showcase as a user does."""
    folder = tmp_path_factory.mktemp("report")
    run, card, out = folder / "run.mk", folder / "card.json", folder / "run.html"
    card.write_text(json.dumps(CARD))
    assert main(["boot", str(ROOT / "kernels/showcase/config.toml"), "--quiet", f"--record={run}"]) == 0
    assert main(["report", str(run), "-o", str(out), "--scorecard", str(card)]) == 0
    return out


@pytest.fixture(scope="module")
def shown(report: Path) -> Iterator[Page]:
    with browsing(report.as_uri(), report.parent) as one:
        yield one


def say(text: bytes) -> bytes:
    """Write to port 0xe9: mov al, letter; out 0xe9, al."""
    return b"".join(b"\xb0" + bytes([letter]) + b"\xe6\xe9" for letter in text)


def told_of(*codes: bytes, **more) -> str:
    machine = Machine(layout(*codes, **more))
    evidence = Evidence(machine)
    return page(evidence, machine.run())


def test_it_names_symbol_and_line_of_a_violation(report: Path) -> None:
    text = report.read_text()
    (row,) = re.findall(r"<tr[^>]*><td>[^<]*</td><td>✕ read</td>.*?</tr>", text)
    line = line_of("kernels/lib/probe.c", "static u64 read_at")
    assert re.search(rf"read_at\+0x[0-9a-f]+ kernels/lib/probe\.c:{line} ", row)
    assert "image" in row  # alice's, where the diary is


def test_what_guests_say_is_text() -> None:
    attack = b"<script>document.title='owned'</script><img src=x onerror=alert(1)>$title &amp;\n"
    text = told_of(say(attack) + leave(0))
    assert text.count("<script") == 1
    assert "&lt;script&gt;document.title=&#x27;owned&#x27;&lt;/script&gt;" in text
    assert "$title &amp;amp;" in text


def test_a_machine_where_nothing_happens_has_a_page_too() -> None:
    text = told_of(HALT)
    assert "Nobody said anything" in text
    assert "Nobody reached for anything" in text


def test_long_consoles_are_cut_in_the_midst() -> None:
    line = say(b"x\n")
    loop = b"\xb9\xd0\x07\x00\x00" + line + b"\xe2" + bytes([256 - len(line) - 2])  # mov ecx, 2000; loop
    text = told_of(loop + leave(0))
    assert "1,000 lines in the midst of k0's are left out" in text


def test_a_console_without_end_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mksim.observe.evidence.MOST_SAID", 10)
    assert "5 bytes at the end of k0's are left out" in told_of(say(b"0123456789abcde") + leave(0))


def test_dma_is_told_by_the_device_that_did_it(tmp_path: Path) -> None:
    run, out = tmp_path / "run.mk", tmp_path / "run.html"
    assert main(["boot", str(ROOT / "kernels/dma/config.toml"), "--quiet", f"--record={run}"]) == 0
    assert main(["report", str(run), "-o", str(out)]) == 0
    assert re.search(
        r"✕ dma write</td><td><code>0x[0-9a-f]+[^<]*</code></td><td><code>device 0", out.read_text()
    )


def test_faults_of_the_iommu_are_listed(tmp_path: Path) -> None:
    run, out = tmp_path / "run.mk", tmp_path / "run.html"
    main(["boot", str(ROOT / "kernels/dma/iommu.toml"), "--quiet", f"--record={run}"])
    main(["report", str(run), "-o", str(out)])
    assert re.search(r"The IOMMU refused: [\d,]+ faults.*<td><code>device 0001:00:01.0<", out.read_text())


def test_a_kernel_by_its_path_has_a_report_too(tmp_path: Path) -> None:
    run, out = tmp_path / "run.mk", tmp_path / "run.html"
    hello = str(ROOT / "build/kernels/hello/hello.elf")
    main(["boot", "--kernel", hello, "--quiet", f"--record={run}"])
    assert main(["report", str(run), "-o", str(out)]) == 0
    assert "<title>hello.elf</title>" in out.read_text()


def test_busy_columns() -> None:
    runs = [(0, 50), (100, 200)]
    assert busy(runs, 200, 4).tolist() == [1, 0, 1, 1]
    assert busy(runs, 400, 2).tolist() == [0.75, 0]
    assert levels(busy(runs, 200, 4)) == [(0, 1, 3), (2, 2, 3)]
    assert busy([], 10, 3).tolist() == [0, 0, 0]


def test_a_run_that_is_another_is_told_on_the_page(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, out = tmp_path / "run.mk", tmp_path / "run.html"
    main(["boot", str(ROOT / "kernels/hello/config.toml"), "--quiet", f"--record={run}"])
    record = json.loads(run.read_text())
    record["end"]["digest"] = "0" * 64
    run.write_text(json.dumps(record))
    assert main(["report", str(run), "-o", str(out)]) == 1
    assert "the digest is" in capsys.readouterr().out
    assert "It is not the run that was recorded: the digest is" in out.read_text()


@pytest.mark.parametrize("text", ["", "[1]", '[{"attack": "read"}]'])
def test_what_is_no_scorecard_is_told(text: str, report: Path, capsys: pytest.CaptureFixture[str]) -> None:
    card = report.parent / "bad.json"
    card.write_text(text)
    run = report.parent / "run.mk"
    assert main(["report", str(run), "-o", str(report.parent / "x.html"), "--scorecard", str(card)]) == 2
    assert "bad.json: " in capsys.readouterr().err


def test_messages_are_those_between_kernels() -> None:
    machine = Machine(scenario_layout("pingpong"))
    evidence = Evidence(machine)
    machine.run()
    assert len(evidence.messages()) == 2000
    runs = evidence.runs()
    assert all(start <= end <= machine.now for some in runs.values() for start, end in some)


# --- in a browser ---


@needs(BROWSER)
def test_the_page_loads_nothing_and_complains_of_nothing(shown: Page) -> None:
    assert [
        sent["request"]["url"].rpartition("/")[2] for sent in shown.told("Network.requestWillBeSent")
    ] == ["run.html"]
    assert not shown.told("Log.entryAdded")
    assert not shown.told("Runtime.exceptionThrown")
    assert shown.run("document.title") == "showcase/config.toml"


@needs(BROWSER)
def test_a_hostile_console_does_nothing_even_where_escaping_is_forgotten(tmp_path: Path) -> None:
    attack = b"<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
    file = tmp_path / "hostile.html"
    text = told_of(say(attack) + leave(0))
    for number, body in enumerate((text, text.replace("</body>", f"{attack.decode()}</body>"))):
        file.write_text(body)
        with browsing(file.as_uri(), tmp_path) as hostile:
            assert hostile.run("document.title") == "guest"
            assert hostile.run("document.querySelectorAll('.console script, .console img').length") == 0
            assert hostile.run("document.querySelector('.console').innerText").count("<script>") == 1
            assert bool(hostile.told("Log.entryAdded")) == bool(number)  # the policy has refused it


@needs(BROWSER)
@pytest.mark.parametrize("width", [360, 390, 768, 1280])
def test_it_fits_on_every_screen(shown: Page, width: int) -> None:
    shown.wide(width)
    assert shown.run("document.documentElement.scrollWidth") <= width
    hidden = (
        "[...document.querySelectorAll('.console li:not(.head-row) b')].filter(b => b.offsetWidth > 0).length"
    )
    assert bool(shown.run(hidden)) == (width < 720)
    assert shown.run("parseFloat(getComputedStyle(document.body).fontSize)") >= 16


@needs(BROWSER)
def test_it_is_dark_for_who_likes_it_dark_and_text_stands_out(shown: Page) -> None:
    shown.wide(1280)
    papers = []
    for scheme in ("light", "dark"):
        shown.scheme(scheme)
        paper, *inks = shown.run(
            "[document.body, document.querySelector('.soft'), document.querySelector('.bad')]"
            ".flatMap((e, n) => n ? [getComputedStyle(e).color] :"
            " [getComputedStyle(e).backgroundColor, getComputedStyle(e).color])"
        )
        assert all(contrast(ink, paper) >= 4.5 for ink in inks), (scheme, paper, inks)
        papers.append(paper)
    assert papers[0] != papers[1]


def luminance(colour: str) -> float:
    """Relative luminance of `rgb(r, g, b)` (WCAG 2.1)."""
    parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@needs(BROWSER)
def test_a_cell_of_the_matrix_opens_to_its_violations(shown: Page) -> None:
    shown.run("document.querySelector('.matrix .bad a').click()")
    shown.run("new Promise(done => setTimeout(done, 50))")
    assert shown.run("document.querySelectorAll('details[open]').length") == 1
    opened = shown.run("document.querySelector('details[open]').innerText")
    assert "mallory into alice: 3 of 3 crossings" in opened
    assert "probe.c:" in opened


@needs(BROWSER)
def test_a_mark_on_the_time_line_leads_to_its_row(shown: Page) -> None:
    assert shown.run("document.querySelectorAll('.mark').length") == 5
    shown.run("location.hash = document.querySelectorAll('.mark')[4].hash")
    shown.run("new Promise(done => setTimeout(done, 50))")
    assert "init" in shown.run("document.querySelector('tr:target').innerText")
    assert shown.run("document.querySelector('tr:target').closest('details').open")


@needs(BROWSER)
def test_kernels_differ_in_pattern_and_name_not_in_colour_alone(shown: Page) -> None:
    drawn = shown.run(
        "[...document.querySelectorAll('pattern')].map(p => p.innerHTML.replace(/fill=\"#.{6}\"/, ''))"
    )
    assert len(set(drawn)) == len(drawn)
    swatches = "[...document.querySelectorAll('.map tr')].every(r => r.querySelector('th').innerText)"
    assert shown.run(swatches)


@needs(BROWSER)
def test_zooming_stretches_time(shown: Page) -> None:
    width = "document.querySelector('.stretch').offsetWidth"
    shown.wide(1280)
    before = shown.run(width)
    shown.run("zoom.value = 3; zoom.dispatchEvent(new Event('input'))")
    assert shown.run(width) == pytest.approx(8 * before, rel=0.01)
    assert shown.run("document.documentElement.scrollWidth") <= 1280
    shown.run("document.querySelector('.timeline .scroll').scrollLeft = 1e9")
    shown.run("new Promise(done => requestAnimationFrame(() => setTimeout(done, 50)))")
    first, last = re.findall(r"[\d,]+", shown.run("seen.value"))
    assert 0 < int(first.replace(",", "")) < int(last.replace(",", ""))
