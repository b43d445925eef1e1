from __future__ import annotations

import json
from pathlib import Path

import pytest
from bundlewise.instances.errors import InputError
from bundlewise.solver.plan_folder import read_plan_folder, write_plan_folder

REPORT = {
    **dict.fromkeys(("week", "currency", "status", "objective", "bound", "gap", "kpis")),
    "name": "x",
}
FILES = {
    "plan.csv": b"bundle_id,level\n0001+2,0.1\n",
    "plan.json": json.dumps(REPORT).encode(),
}
LATER = {**FILES, "plan.json": json.dumps({**REPORT, "name": "later"}).encode()}


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_plan_is_written_whole_and_read_back(tmp_path: Path):
    write_plan_folder(FILES, tmp_path / "deep" / "plan")
    plan = read_plan_folder(tmp_path / "deep" / "plan")
    assert plan.report == REPORT
    assert plan.offers["bundle_id"].tolist() == ["0001+2"]
    assert plan.offers["level"].tolist() == [0.1]
    assert names(tmp_path / "deep") == ["plan"]


def test_an_existing_plan_is_refused_unless_forced(tmp_path: Path):
    write_plan_folder(FILES, tmp_path / "plan")
    with pytest.raises(InputError, match="holds a plan already; expected --force"):
        write_plan_folder(LATER, tmp_path / "plan")
    assert read_plan_folder(tmp_path / "plan").report["name"] == "x"
    write_plan_folder(LATER, tmp_path / "plan", force=True)
    assert read_plan_folder(tmp_path / "plan").report["name"] == "later"
    assert names(tmp_path) == ["plan"]


def test_force_never_deletes_what_is_not_a_plan(tmp_path: Path):
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "to_mother.txt").write_text("dear")
    with pytest.raises(InputError, match="holds other files and no plan"):
        write_plan_folder(FILES, tmp_path / "letters", force=True)
    assert names(tmp_path / "letters") == ["to_mother.txt"]


def test_a_file_in_the_way_is_named(tmp_path: Path):
    (tmp_path / "plan").write_text("x")
    with pytest.raises(InputError, match=r"plan: is a file; expected a folder"):
        write_plan_folder(FILES, tmp_path / "plan", force=True)


def test_a_folder_left_between_the_two_renames_is_made_good(tmp_path: Path):
    (tmp_path / "plan").mkdir()
    (tmp_path / "plan" / "plan.csv.part").write_bytes(b"half")
    with pytest.raises(InputError, match="is not a plan"):
        read_plan_folder(tmp_path / "plan")
    write_plan_folder(FILES, tmp_path / "plan")
    assert names(tmp_path / "plan") == ["plan.csv", "plan.json"]


def test_a_failed_write_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from bundlewise.solver import plan_folder

    written = []

    def full_disk(path: Path, content: bytes) -> None:
        assert path.name != "plan.csv"  # staging folders never hold one
        written.append(path.name)
        if len(written) == 2:
            raise OSError(28, "No space left on device")
        path.write_bytes(content)

    monkeypatch.setattr(plan_folder, "_write", full_disk)
    with pytest.raises(InputError, match="No space left on device"):
        write_plan_folder(FILES, tmp_path / "plan")
    assert names(tmp_path) == []


def test_a_link_to_a_folder_stays_a_link(tmp_path: Path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    for _ in range(2):
        write_plan_folder(FILES, tmp_path / "link", force=True)
    assert (tmp_path / "link").is_symlink()
    assert names(tmp_path / "real") == ["plan.csv", "plan.json"]


@pytest.mark.parametrize("folder", [".", ".."])
def test_the_current_folder_is_not_replaced(
    folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    with pytest.raises(InputError, match="is or holds the current folder"):
        write_plan_folder(FILES, Path(folder), force=True)


def test_a_folder_with_a_plan_csv_of_another_kind_is_no_plan(tmp_path: Path):
    (tmp_path / "plan.csv").write_text("my,own,table")
    with pytest.raises(InputError, match="holds other files and no plan"):
        write_plan_folder(FILES, tmp_path, force=True)


@pytest.mark.parametrize(
    ("report", "fault"),
    [(b"[]", "is no table of keys"), (b'{"name": "x"}', "lacks week, currency"), (b"{", "line 1")],
)
def test_a_plan_json_that_is_none_is_said_to_be(report: bytes, fault: str, tmp_path: Path):
    write_plan_folder({**FILES, "plan.json": report}, tmp_path / "plan")
    with pytest.raises(InputError, match=rf"plan: cannot be read as a plan \(.*{fault}"):
        read_plan_folder(tmp_path / "plan")
