"""The program that runs another one without network: `offline.py PROGRAM ARGUMENT...`, on Linux.

The program gets a network namespace of its own, in which there is nothing but the loopback device (namespaces(7), netdevice(7));
where the user may not make one, with a user namespace around it (user_namespaces(7)), in which the user stays who they are. Where
the system allows neither, this ends with `REFUSED` and one line.
"""

from __future__ import annotations

import ctypes
import os
import sys

NEW_USER, NEW_NETWORK = 0x10000000, 0x40000000
SET_FLAGS, IS_UP = 0x8914, 1  # of a network device
REFUSED = 97


def main(argv: list[str]) -> None:
    """Shut the network off, and become the program."""
    try:
        _leave_network()
        _raise_loopback()
    except (OSError, ImportError, AttributeError) as problem:
        sys.stderr.write(f"{problem.strerror if isinstance(problem, OSError) else problem}\n")
        sys.exit(REFUSED)
    os.execv(argv[0], argv)  # noqa: S606 - which the door has started as much as this


def _leave_network() -> None:
    user, group = os.getuid(), os.getgid()
    try:
        _unshare(NEW_NETWORK)
    except OSError:
        _unshare(NEW_USER | NEW_NETWORK)
        for name, text in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
            with open(f"/proc/self/{name}", "w", encoding="ascii") as file:  # noqa: PTH123 - the kernel's, not a file
                file.write(text)


def _unshare(what: int) -> None:
    library = ctypes.CDLL(None, use_errno=True)
    if library.unshare(what):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _raise_loopback() -> None:
    import fcntl  # which Windows lacks
    import socket
    import struct

    with socket.socket() as any_socket:
        fcntl.ioctl(any_socket, SET_FLAGS, struct.pack("16sH14x", b"lo", IS_UP))


if __name__ == "__main__":
    main(sys.argv[1:])
