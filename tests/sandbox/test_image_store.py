"""Docker's store of the images, as it is kept and given to the next machine."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from cargo_sandbox.material import image_store

PROGRAM = "overlay2/1a2b/diff/usr/bin/nginx"


@pytest.fixture
def docker(tmp_path: Path) -> Path:
    """The folder of a Docker daemon that has loaded its images."""
    folder = tmp_path / "cargo/docker"
    for name in (PROGRAM, "image/overlay2/repositories.json", "containerd/daemon/meta.db"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    (folder / "overlay2/l").mkdir()
    (folder / "overlay2/l/ABC").symlink_to("../1a2b/diff")
    return folder


def test_a_machine_gets_links_to_the_layers_and_a_copy_of_what_docker_writes_anew(docker: Path, tmp_path: Path) -> None:
    store = image_store.store_of(tmp_path / "cargo-images-abc.tar")
    image_store.keep(docker, store)
    assert sorted(path.name for path in store.iterdir()) == ["image", "overlay2"]
    other = tmp_path / "ha-1/docker"
    other.mkdir(parents=True)
    assert image_store.lay(store, other)
    assert (other / PROGRAM).stat().st_ino == (docker / PROGRAM).stat().st_ino
    assert (other / "overlay2/l/ABC").readlink() == Path("../1a2b/diff")
    about = "image/overlay2/repositories.json"
    (other / about).write_text("changed")
    assert (store / about).read_text() == about


def test_where_links_cannot_be_made_nothing_is_left_and_the_images_are_to_be_loaded(
    docker: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def link(source: str, target: str) -> None:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))

    store = tmp_path / "cargo-images-abc.store"
    monkeypatch.setattr(os, "link", link)
    image_store.keep(docker, store)
    assert not store.exists()
    other = tmp_path / "ha-1/docker"
    other.mkdir(parents=True)
    assert not image_store.lay(docker, other)
    assert list(other.iterdir()) == []


def test_without_a_store_or_with_another_driver_there_is_nothing_to_give_or_to_keep(tmp_path: Path) -> None:
    other = tmp_path / "docker"
    (other / "vfs").mkdir(parents=True)
    store = tmp_path / "cargo-images-abc.store"
    image_store.keep(other, store)
    assert not image_store.lay(store, other)
    assert [path.name for path in other.iterdir()] == ["vfs"]


def test_of_two_machines_that_keep_theirs_at_once_one_wins_and_no_draft_stays(docker: Path, tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    store = folder / "cargo-images-abc.store"
    (store / "overlay2/won").mkdir(parents=True)
    draft = folder / "draft"
    draft.mkdir()
    real = Path.exists
    with pytest.MonkeyPatch.context() as patch:
        # As if the other one came between the look and the renaming.
        patch.setattr(Path, "exists", lambda path: path != store and real(path))
        image_store.keep(docker, store)
    assert sorted(path.name for path in folder.iterdir()) == ["cargo-images-abc.store", "draft"]
    assert [path.name for path in (store / "overlay2").iterdir()] == ["won"]
    image_store.discard(store)
    image_store.discard(store)
    assert [path.name for path in folder.iterdir()] == ["draft"]
