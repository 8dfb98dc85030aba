import os
import shutil
import subprocess
from pathlib import Path

import pytest
from data_world import DataWorld, data_world  # noqa: F401 - a fixture

from access_control import integrity
from access_control.decisions import Mount
from access_control.errors import Refused
from access_control.integrity import Altered, submounts, verify_mount, verify_or_mark


@pytest.fixture
def mount(data: DataWorld) -> Mount:
    data.add()
    data.publish()
    return data.mount(data.versions("people/open")[0])


def rewrite(path: Path, content: bytes) -> None:
    """Changes a published file as somebody with the machine in hand would, and puts its times back."""
    times = path.stat()
    path.chmod(0o600)
    path.write_bytes(content)
    path.chmod(0o444)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def test_what_was_published_is_mounted(data: DataWorld, mount: Mount) -> None:
    for _ in range(3):
        verify_mount(data.settings, mount)


def test_a_change_is_found(data: DataWorld, mount: Mount, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(integrity, "_SETTLED_NS", -1)  # hashes are kept at once
    verify_mount(data.settings, mount)
    file = Path(mount.source) / "data.parquet"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    rewrite(file, bytes(content))
    with pytest.raises(Altered, match=r"data\.parquet was changed"):
        verify_mount(data.settings, mount)


def test_a_file_that_is_put_in_place_of_another_is_found(data: DataWorld, mount: Mount) -> None:
    verify_mount(data.settings, mount)
    folder = Path(mount.source)
    folder.chmod(0o700)
    fake = folder / "fake"
    fake.write_bytes(b"x" * (folder / "data.parquet").stat().st_size)
    fake.rename(folder / "data.parquet")
    with pytest.raises(Altered, match="was changed"):
        verify_mount(data.settings, mount)


@pytest.mark.parametrize("what", ["missing", "added", "link", "folder gone", "folder linked", "pipe"])
def test_what_is_not_as_published_is_refused(data: DataWorld, mount: Mount, what: str) -> None:
    folder = Path(mount.source)
    folder.chmod(0o700)
    file = folder / "data.parquet"
    if what == "missing":
        file.unlink()
    elif what == "added":
        (folder / "more.parquet").write_text("x")
    elif what == "link":
        copy = data.root / "copy.parquet"
        shutil.copy(file, copy)
        file.unlink()
        file.symlink_to(copy)
    elif what == "pipe":
        file.unlink()
        os.mkfifo(file)
    elif what == "folder gone":
        shutil.rmtree(folder)
    else:
        elsewhere = folder.with_name("elsewhere")
        folder.rename(elsewhere)
        folder.symlink_to(elsewhere)
    with pytest.raises(Altered):
        verify_mount(data.settings, mount)


@pytest.mark.parametrize(
    "source", ["/etc", "relative", "{root}/datasets/people/v1", "{root}/renditions", "{root}/renditions/../keys"]
)
def test_a_folder_that_is_no_rendition_is_refused(data: DataWorld, mount: Mount, source: str) -> None:
    values = {**mount.as_dict(), "source": source.format(root=data.settings.data_root)}
    with pytest.raises(Refused, match="not one of the published renditions"):
        verify_mount(data.settings, Mount.from_dict(values))


def test_a_record_without_files_is_refused(data: DataWorld, mount: Mount) -> None:
    with pytest.raises(Refused, match="names no file"):
        verify_mount(data.settings, Mount.from_dict({**mount.as_dict(), "files": {}}))


def test_a_hash_is_kept_only_while_nothing_changed(
    data: DataWorld, mount: Mount, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(integrity, "_SETTLED_NS", -1)
    key = str(Path(os.path.realpath(mount.source)) / "data.parquet")
    verify_mount(data.settings, mount)
    kept = integrity._known[key]
    verify_mount(data.settings, mount)
    assert integrity._known[key] is kept
    os.utime(key)
    verify_mount(data.settings, mount)
    assert integrity._known[key] is not kept


def test_a_hash_of_a_file_that_has_just_changed_is_not_kept(data: DataWorld, mount: Mount) -> None:
    key = str(Path(os.path.realpath(mount.source)) / "data.parquet")
    os.utime(key)
    verify_mount(data.settings, mount)
    assert key not in integrity._known


MOUNTINFO = r"""36 35 98:0 / / rw - ext4 /dev/sda rw
37 36 0:1 / /data/renditions/hiv/open/1/below rw - tmpfs tmpfs rw
38 36 0:1 / /data/renditions/hiv/open/10 rw - tmpfs tmpfs rw
39 36 0:1 / /data/with\040blank/inner rw - tmpfs tmpfs rw
"""


def test_submounts_are_read_from_the_list_of_mounts() -> None:
    assert submounts(Path("/data/renditions/hiv/open/1"), MOUNTINFO) == ["/data/renditions/hiv/open/1/below"]
    assert submounts(Path("/data/renditions/hiv/open/10"), MOUNTINFO) == []
    assert submounts(Path("/data/with blank"), MOUNTINFO) == ["/data/with blank/inner"]


def test_a_rendition_with_a_mount_below_it_is_refused(data: DataWorld, mount: Mount) -> None:
    inner = Path(mount.source) / "inner"
    inner.parent.chmod(0o700)
    inner.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "tmpfs", str(inner)], check=False, capture_output=True)
    if mounted.returncode:
        pytest.skip("file systems can be mounted by root alone")
    try:
        with pytest.raises(Refused, match="is a mount of its own"):
            verify_mount(data.settings, mount)
    finally:
        subprocess.run(["umount", str(inner)], check=True)


def test_an_altered_version_is_taken_out_of_use_and_recorded_once(data: DataWorld, mount: Mount) -> None:
    before = data.change()
    rewrite(Path(mount.source) / "data.parquet", b"x")
    for _ in range(2):
        with pytest.raises(Altered):
            verify_or_mark(data.engine, data.settings, mount)
    assert data.versions("people/open")[0].state == "altered"
    [entry] = data.acts("dataset:altered")
    assert (entry["actor"], entry["subject"]) == ("<spawner>", "rendition:people/open")
    assert "data.parquet was changed" in entry["details"]["problem"]
    assert data.change() > before
