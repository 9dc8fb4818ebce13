"""Extension modules: which files the target's import system takes for compiled ones."""

from __future__ import annotations

from monopack.model import Target

EXTENSIONS = (".so", ".pyd")  # what the name of any extension module ends with
MACHINES = {"i686": "i386", "armv7l": "arm", "ppc64le": "powerpc64le"}  # as a GNU triplet calls them


def suffixes(target: Target) -> tuple[str, ...]:
    """What follows a module's name in the file of an extension module that a target loads, best first (PEP 3149).

    They are `importlib.machinery.EXTENSION_SUFFIXES` of the target, from its wheel tags and markers alone.
    """
    abis = dict.fromkeys(tag.abi for tag in target.tags if tag.abi.startswith("cp"))
    stable = any(tag.abi == "abi3" for tag in target.tags)
    platform = target.markers["sys_platform"]
    if platform == "win32":
        system = next((tag.platform for tag in target.tags), "")
        return (*(f".{abi}-{system}.pyd" for abi in abis), ".pyd")
    triplet = {"linux": f"-{_triplet(target)}", "darwin": "-darwin"}.get(platform, "")
    named = (f".cpython-{abi.removeprefix('cp')}{triplet}.so" for abi in abis)
    return (*named, *([".abi3.so"] if stable else []), ".so")


def _triplet(target: Target) -> str:
    """The platform of a Linux target as CPython's build names it: `x86_64-linux-gnu`."""
    machine = target.markers.get("platform_machine", "")
    libc = "musl" if any(tag.platform.startswith("musllinux") for tag in target.tags) else "gnu"
    hard_float = "eabihf" if machine.startswith("armv") else ""
    return f"{MACHINES.get(machine, machine)}-linux-{libc}{hard_float}"
