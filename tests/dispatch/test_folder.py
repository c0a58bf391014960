"""The folder channel: whole files, below the root, and nowhere else."""

import json
from pathlib import Path

import pytest

from dispatch.channels import TargetError, check_target
from dispatch.channels.answers import Later, Refused, Sent
from dispatch.channels.folder import Folder
from ledger.deliveries import Claimed, File
from tests.dispatch.made import PAYLOAD, claimed


def delivery(target: str = "inbox", role: str = "county", tenant: str = "652301") -> Claimed:
    return claimed(channel="folder", target=target, role=role, tenant=tenant)


def files(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}


def test_one_file_a_delivery(tmp_path: Path) -> None:
    one = delivery()
    folder = Folder(tmp_path)
    assert folder.send(one, tuple) == Sent("county/652301/inbox")
    assert folder.send(one, tuple) == Sent("county/652301/inbox"), "again: the same file"
    name = f"county/652301/inbox/20260302080000-{one.id}.json"
    assert files(tmp_path) == {name}
    assert (tmp_path / name).read_text(encoding="utf-8") == PAYLOAD
    assert json.loads(PAYLOAD)["type"] == "violation.raised"


def test_the_reports_files_beside_it(tmp_path: Path) -> None:
    one = delivery(role="centre", tenant="")
    report = [File("日报〔2026〕1号", "pdf", b"%PDF"), File("../../x/\0y", "csv", b"a,b")]
    assert isinstance(Folder(tmp_path).send(one, lambda: report), Sent)
    assert files(tmp_path) == {
        "centre/inbox/日报〔2026〕1号.pdf", "centre/inbox/______x__y.csv", f"centre/inbox/20260302080000-{one.id}.json",
    }  # fmt: skip


@pytest.mark.parametrize("target", ["", ".", "..", "../x", "/etc", "a/b", "a\\b", "a\0b", ".hidden", "a b", "x" * 65])
def test_no_target_leads_out(tmp_path: Path, target: str) -> None:
    root = tmp_path / "root"
    assert isinstance(Folder(root).send(delivery(target), tuple), Refused)
    assert files(tmp_path) == set()
    with pytest.raises(TargetError):
        check_target("folder", target)


@pytest.mark.parametrize("tenant", ["..", "../../x", "/etc", "a/b", "甲公司", "a%2Fb"])
def test_no_tenant_leads_out_or_into_anothers(tmp_path: Path, tenant: str) -> None:
    root = tmp_path / "root"
    assert isinstance(Folder(root).send(delivery(tenant=tenant), tuple), Sent)
    (path,) = files(tmp_path)
    assert path.startswith("root/county/")
    assert len(Path(path).parts) == 5


def test_a_link_in_its_place_is_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (tmp_path / "root" / "county" / "652301").mkdir(parents=True)
    (tmp_path / "root" / "county" / "652301" / "inbox").symlink_to(outside)
    assert isinstance(Folder(tmp_path / "root").send(delivery(), tuple), Refused)
    assert list(outside.iterdir()) == []


def test_a_root_that_is_itself_a_link_is_fine(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "root").symlink_to(tmp_path / "real")
    assert isinstance(Folder(tmp_path / "root").send(delivery(), tuple), Sent)


def test_what_is_not_there_yet(tmp_path: Path) -> None:
    assert isinstance(Folder(None).send(delivery(), tuple), Later)
    (tmp_path / "file").write_text("")
    answer = Folder(tmp_path / "file").send(delivery(), tuple)
    assert isinstance(answer, Later)
    assert "cannot write" in answer.detail


def test_nothing_half_written_stays(tmp_path: Path) -> None:
    def fails() -> list[File]:
        raise OSError(28, "No space left on device")

    assert isinstance(Folder(tmp_path).send(delivery(), fails), Later)
    assert files(tmp_path) == set()


def test_targets() -> None:
    check_target("webhook", "https://example.org/hook")
    check_target("email", "monitor@example.org")
    check_target("folder", "收件-1")
    for channel, target in (("webhook", "ftp://x/"), ("email", "x"), ("pigeon", "x")):
        with pytest.raises(TargetError):
            check_target(channel, target)
