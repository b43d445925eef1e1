"""Reading published knapsack files: every number where the format puts it, nothing rounded."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from bundlewise.instances.errors import InputError
from bundlewise.instances.mmkp import MmkpInstance, read_mmkp, read_references

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "mmkp"

# Two classes of three and one items, two resources.
SMALL = """\
2 2
10 20.5
3
7 1 3
-8.25 4 0
9 5 5.75
1
10 0 1e1
"""


def read(tmp_path: Path, text: str) -> MmkpInstance:
    path = tmp_path / "small.txt"
    path.write_text(text, encoding="utf-8")
    return read_mmkp(path)


def refusal(tmp_path: Path, text: str) -> str:
    with pytest.raises(InputError) as caught:
        read(tmp_path, text)
    return str(caught.value).removeprefix(f"{tmp_path / 'small.txt'}: ")


def test_decimals_become_whole_numbers_of_the_last_place(tmp_path: Path):
    instance = read(tmp_path, SMALL)
    assert instance.name == "small.txt"
    assert (instance.n_classes, instance.n_resources, instance.n_items) == (2, 2, 4)
    assert instance.item_class.tolist() == [0, 0, 0, 1]
    assert instance.value_places == 2
    assert instance.values.tolist() == [700, -825, 900, 1000]
    assert instance.weight_places == 2
    assert instance.capacities.tolist() == [1000, 2050]
    assert instance.weights.tolist() == [[100, 300], [400, 0], [500, 575], [0, 1000]]


@pytest.mark.parametrize(
    "layout",
    [
        SMALL.replace("\n", " "),
        SMALL.replace(" ", "\n"),
        SMALL.replace("\n", "\r\n"),
        "\ufeff\n\n" + SMALL.replace("\n", " \t\n\n") + "\n",
    ],
)
def test_the_numbers_count_and_not_the_lines(layout: str, tmp_path: Path):
    expected, found = read(tmp_path, SMALL), read(tmp_path, layout)
    for name in ("item_class", "values", "weights", "capacities"):
        assert getattr(found, name).tolist() == getattr(expected, name).tolist()


def test_zeros_behind_the_point_are_no_decimals(tmp_path: Path):
    instance = read(tmp_path, "1 1\n5.00\n1\n30.0 0.000\n")
    assert (instance.value_places, instance.weight_places) == (0, 0)
    assert instance.values.tolist() == [30]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", "end: the file ends; expected the number of classes"),
        (
            "2 2\n10",
            "end: the file ends with 1 of them; expected 2 more (capacities)",
        ),
        (
            SMALL[: SMALL.index("1\n10 0")],
            "end: the file ends; expected the number of items of class 2 of 2",
        ),
        (
            SMALL.replace(" 1e1", ""),
            "end: the file ends with 1 of them; expected 2 more (weights of item 1 of ",
        ),
        (SMALL + "3 4\n", "line 9, number 1: 2 numbers more than the sizes announce; "),
        (SMALL.replace("2 2", "0 2"), "line 1, number 1: '0'; expected the number of classes, a "),
        (SMALL.replace("2 2", "2 -2"), "line 1, number 2: '-2'; expected the number of resources"),
        (SMALL.replace("2 2", "2.0 2"), "line 1, number 1: '2.0'; expected the number of classes"),
        (SMALL.replace("\n3\n", "\n0\n"), "line 3, number 1: '0'; expected the number of items of"),
        (
            SMALL.replace("4 0", "4 -1"),
            "line 5, number 3: '-1'; expected no number below 0 (weights of item 2 of ",
        ),
        (SMALL.replace("10 20.5", "10 -1"), "line 2, number 2: '-1'; expected no number below 0 "),
        (SMALL.replace("5.75", "5,75"), "line 6, number 3: '5,75'; expected a number (weights of "),
        (SMALL.replace("5.75", "nan"), "line 6, number 3: 'nan'; expected a number (weights of "),
        (SMALL.replace("7 1", "inf 1"), "line 4, number 1: 'inf'; expected a number (the value of"),
        (SMALL.replace("5.75", "٣"), "line 6, number 3: '٣'; expected a number (weights of item 3"),
        (SMALL.replace("7 1", "1e99 1"), "1E+99, in a file with 2 decimals; expected numbers of "),
        (
            SMALL.replace("7 1", "0.1234567890123456789 1"),
            "0.1234567890123456789, in a file with 19 decimals; expected numbers of ",
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text: str, line: str, tmp_path: Path):
    assert refusal(tmp_path, text).startswith(line)


def test_files_that_are_not_there_or_not_text_are_one_line(tmp_path: Path):
    with pytest.raises(InputError, match="cannot be read"):
        read_mmkp(tmp_path / "nowhere.txt")
    with pytest.raises(InputError, match="cannot be read"):
        read_mmkp(tmp_path)
    binary = tmp_path / "binary.txt"
    binary.write_bytes(b"2 2\n\xff\xfe")
    with pytest.raises(InputError, match="byte 4: not text"):
        read_mmkp(binary)


def test_references_keep_their_decimals(tmp_path: Path):
    path = tmp_path / "reference.csv"
    path.write_text(
        "instance,best_value,upper_bound,kind\na.txt,4799.3,4799.30,optimal\n"
        '"b, c.txt",3597,3612.0,"best found, so far"\n'
    )
    references = read_references(path)
    assert list(references) == ["a.txt", "b, c.txt"]
    assert references["a.txt"].best_value == Decimal("4799.3")
    assert references["b, c.txt"].upper_bound == 3612
    assert references["b, c.txt"].kind == "best found, so far"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "line 1: no column 'instance'"),
        ("instance,best_value,kind\na,1,optimal\n", "line 1: no column 'upper_bound'"),
        ("instance,best_value,upper_bound,kind\na,1\n", "line 2, upper_bound: empty"),
        ("instance,best_value,upper_bound,kind\na,x,1,k\n", "line 2, best_value: 'x'"),
        ("instance,best_value,upper_bound,kind\na,nan,1,k\n", "line 2, best_value: 'nan'"),
        ("instance,best_value,upper_bound,kind\na,2,1,k\n", "best_value 2 above upper_bound 1"),
        ("instance,best_value,upper_bound,kind\na,1,1,k\na,1,1,k\n", "line 3: 'a' a second time"),
        (
            'instance,best_value,upper_bound,kind\n"a,1,1,k\n',
            "reference.csv: unexpected end of data",
        ),
    ],
)
def test_a_reference_that_is_wrong_is_refused(text: str, words: str, tmp_path: Path):
    path = tmp_path / "reference.csv"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        read_references(path)
    assert words in str(caught.value)


@pytest.mark.skipif(not SHARED.is_dir(), reason="the published instances are not here")
def test_every_published_file_reads_with_the_sizes_its_reference_states():
    import pandas as pd

    stated = pd.read_csv(SHARED / "reference.csv")
    assert len(stated) == 79
    for row in stated.itertuples():
        instance = read_mmkp(SHARED / str(row.instance))
        sizes = (instance.n_classes, instance.n_resources, instance.n_items)
        assert sizes == (row.classes, row.resources, row.items)
    assert read_mmkp(SHARED / "khan_I05.txt").value_places == 1
    references = read_references(SHARED / "reference.csv")
    assert sum(reference.kind == "optimal" for reference in references.values()) == 53
