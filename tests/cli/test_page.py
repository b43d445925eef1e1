"""What pages share: numbers, text, small charts."""

from __future__ import annotations

import pytest
from bundlewise.cli.page import numbers
from bundlewise.cli.page.svg import WIDTH, Drawing, Scale, text_width, wrapped
from bundlewise.cli.page.text import shown


def test_numbers_have_one_form():
    assert numbers.money(1234.5, "EUR") == "1,234.50\u00a0EUR"
    assert numbers.money(None, "EUR") == "–"
    assert numbers.amount(-0.001) == "0.00"
    assert numbers.amount(-3.5) == "\u22123.50"
    assert [numbers.change(value) for value in (2.0, 0.0, -2.0)] == ["+2.00", "0.00", "\u22122.00"]
    assert numbers.percent(0.1534) == "15.3\u00a0%"
    assert [numbers.units(value) for value in (1234.5, 99.95, 12.34, 0.95, 0.123, 0.0)] == [
        "1,234",
        "100",
        "12.3",
        "0.9",
        "0.12",
        "0",
    ]
    assert numbers.counted(1, "bundle") == "1\u00a0bundle"
    assert numbers.counted(12, "bundle") == "12\u00a0bundles"


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0.0, 30.67, [0, 10, 20, 30]),
        (-2.1, 4.2, [-2, 0, 2, 4]),
        (0.0, 0.004, [0, 1e-3, 2e-3, 3e-3, 4e-3]),
    ],
)
def test_ticks_are_round(low: float, high: float, ticks: list[float]):
    assert Scale([low, high], 0, 100).ticks(4) == pytest.approx(ticks, abs=1e-12)


def test_a_scale_of_one_value_is_no_division_by_zero():
    assert 0 <= Scale([0.0], 0, 100)(0.0) <= 100


def test_long_labels_wrap_and_end_in_an_ellipsis():
    label = wrapped("One title that goes on & another title that goes on even longer than it", 150)
    assert len(label) == 2
    assert label[1].endswith("…")
    assert all(text_width(line) <= 150 for line in label)
    assert wrapped("Short & sweet", 150) == ["Short & sweet"]
    assert text_width(wrapped("x" * 200, 150)[0]) <= 150


def test_text_from_right_to_left_is_isolated_and_control_characters_are_shown():
    assert shown("Café, 250 g") == "Café, 250 g"
    assert shown("a\x00b\x07") == "a�b�"
    assert shown("\u202eabc") == "\u2068\u202eabc\u2069"
    assert shown("\u05d0\u2069") == "\u2068\u05d0\u2069"
    assert shown("\u2067\u05d0") == "\u2068\u2067\u05d0\u2069\u2069"


def test_a_chart_escapes_what_is_put_in():
    chart = Drawing(10)
    chart.text(0, 0, "</text><script>")
    svg = chart.svg('a "title"', "<desc>")
    assert f'viewBox="0 0 {WIDTH} 10"' in svg
    assert "<script" not in svg
    assert 'aria-label="a &#34;title&#34;. &lt;desc&gt;"' in svg
