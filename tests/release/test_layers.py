"""Layers and layouts: the same content gives the same bytes, and what is damaged is not taken."""

import gzip
import io
import os
import tarfile
from pathlib import Path

import pytest

from release import oci
from release.application import Python, write
from release.errors import ReleaseError
from release.oci import Layout
from release.platforms import PLATFORMS


def tree(folder: Path, changed: int) -> Path:
    for name in ("opt/b", "opt/a"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
        os.utime(path, (changed, changed))
    return folder


def test_a_layer_depends_on_nothing_but_its_content(tmp_path: Path) -> None:
    first, second = tree(tmp_path / "first", 1), tree(tmp_path / "second", 2)
    assert oci.packed(first, [], 7) == oci.packed(second, [], 7)


def test_a_layer_belongs_to_root_and_nobody_else_may_write_it(tmp_path: Path) -> None:
    (tree(tmp_path, 1) / "opt" / "a").chmod(0o666)
    content, _ = oci.packed(tmp_path, [], 7)
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(content))) as tar:
        assert {(each.uid, each.gid, each.mtime, each.mode & 0o022) for each in tar} == {(0, 0, 7, 0)}


def test_everybody_may_read_a_layer_made_with_a_strict_umask(tmp_path: Path) -> None:
    program = tree(tmp_path, 1) / "opt" / "a"
    program.chmod(0o700)
    (tmp_path / "opt" / "b").chmod(0o600)
    (tmp_path / "opt").chmod(0o700)
    content, _ = oci.packed(tmp_path, [], 7)
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as tar:
        assert {each.name: each.mode for each in tar} == {"opt": 0o755, "opt/a": 0o755, "opt/b": 0o644}


def test_a_whiteout_stands_beside_what_it_takes_away(tmp_path: Path) -> None:
    content, _ = oci.packed(tree(tmp_path, 1), ["usr/local/bin/pip3"], 7)
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as tar:
        assert "usr/local/bin/.wh.pip3" in tar.getnames()


def test_a_damaged_blob_is_not_taken(tmp_path: Path) -> None:
    layout = Layout.new(tmp_path / "layout")
    blob = layout.add(b"whole", oci.LAYER)
    (path,) = (tmp_path / "layout" / "blobs" / "sha256").iterdir()
    path.write_bytes(b"other")
    with pytest.raises(ReleaseError, match="does not have the digest in its name"):
        layout.read(blob.digest)


def test_a_base_without_a_platform_is_refused(tmp_path: Path) -> None:
    layout = Layout.new(tmp_path / "layout")
    layout.finish()
    with pytest.raises(ReleaseError, match="has no image for linux/amd64"):
        layout.manifest(PLATFORMS[0])


def test_bytecode_is_made_by_the_python_of_the_base_or_not_at_all(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match=r"bytecode for it is made by Python 3\.2"):
        write(tmp_path, PLATFORMS[0], Python("3.2.1"), "commit")
