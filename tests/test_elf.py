"""What compiled files ask for: hand-made ones, and those of this machine."""

from __future__ import annotations

import io
import sys
import sysconfig
from pathlib import Path

import pytest
from elves import elf as make
from hypothesis import example, given, settings
from hypothesis import strategies as st

from monopack import elf
from monopack.model import Native


def found(data: bytes) -> Native | None:
    return elf.read(io.BytesIO(data), "x.so")


@pytest.mark.parametrize("machine", ["x86_64", "aarch64", "riscv64"])
def test_the_machine_is_named_as_wheel_tags_do(machine: str) -> None:
    assert found(make(machine)) == Native(path="x.so", machine=machine)


def test_the_highest_version_of_glibc_counts_and_numbers_are_no_texts() -> None:
    data = make(versions=["GLIBC_2.2.5", "GLIBC_2.17", "GLIBC_2.9", "GLIBC_PRIVATE", "GLIBCXX_3.4.99"])
    assert found(data) == Native(path="x.so", machine="x86_64", glibc="2.17")


def test_musl_is_told_by_its_library() -> None:
    assert found(make(library="libc.musl-x86_64.so.1")) == Native(path="x.so", machine="x86_64", musl=True)


@pytest.mark.parametrize("data", [b"", b"\x7fEL", b"MZ", b"/* GNU ld script */ GROUP ( libc.so.6 )"])
def test_other_files_ask_for_nothing(data: bytes) -> None:
    assert found(data) is None


@settings(deadline=None)
@example(361, b"\0")
@given(st.integers(0, 600), st.binary(min_size=1, max_size=4))
def test_a_damaged_file_is_no_reason_to_stop(place: int, noise: bytes) -> None:
    data = make(versions=["GLIBC_2.28"])
    place = min(place, len(data) - len(noise))
    found(data[:place] + noise + data[place + len(noise) :])
    found(data[:place])


@pytest.mark.parametrize(
    ("path", "native"),
    [("a/b.so", True), ("lib/libz.so.1.2", True), ("a.cpython-311-x86_64-linux-gnu.so", True), ("a.sop", False), ("so", False)],
)
def test_compiled_files_are_known_by_their_names(path: str, native: bool) -> None:
    assert elf.is_native(path) is native


def test_a_real_one_fits_the_machine_that_it_was_found_on() -> None:
    folder = Path(sysconfig.get_config_var("DESTSHARED"))
    real = next(iter(sorted(folder.glob("*.so"))), None)
    if real is None or sys.platform != "linux":
        pytest.skip("this Python has no compiled modules for Linux in files of their own")
    with real.open("rb") as file:
        native = elf.read(file, real.name)
    assert native is not None
    assert native.machine in sysconfig.get_platform().replace("-", "_")
