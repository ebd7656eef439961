# SPDX-License-Identifier: MIT
"""plug - a disk whose plug can be pulled: an ext4 image behind a loop device, which lies on a file system that can copy a file in
an instant (XFS with reflinks). Such a copy, at any moment, is what a disk would hold after a power cut."""
import os
import pathlib
import shutil
import subprocess


def sh(*command, **more):
    return subprocess.run(command, check=True, capture_output=True, text=True, **more)


def possible():
    return os.geteuid() == 0 and shutil.which("mkfs.xfs") and shutil.which("mkfs.ext4") and \
        pathlib.Path("/dev/loop-control").exists() and "xfs" in pathlib.Path("/proc/filesystems").read_text()


class Bench:
    """An XFS image, and in it an ext4 image; both mounted."""

    def __init__(self, folder):
        self.folder, self.outer, self.inner, self.cut = folder, folder / "outer", folder / "inner", folder / "cut"
        for each in (self.outer, self.inner, self.cut):
            each.mkdir()
        sh("truncate", "-s", "2G", str(folder / "xfs.img"))
        sh("mkfs.xfs", "-q", "-m", "reflink=1", str(folder / "xfs.img"))
        sh("mount", "-o", "loop", str(folder / "xfs.img"), str(self.outer))
        self.image = self.outer / "ext4.img"
        sh("truncate", "-s", "256M", str(self.image))
        sh("mkfs.ext4", "-q", "-E", "lazy_itable_init=0,lazy_journal_init=0", str(self.image))
        sh("mount", "-o", "loop", str(self.image), str(self.inner))

    def snapshot(self):
        sh("cp", "--reflink=always", str(self.image), str(self.outer / "cut.img"))

    def mount_cut(self):
        sh("mount", "-o", "loop", str(self.outer / "cut.img"), str(self.cut))

    def unmount_cut(self):
        sh("umount", str(self.cut))

    def close(self):
        for each in (self.cut, self.inner, self.outer):
            subprocess.run(["umount", str(each)], capture_output=True)
