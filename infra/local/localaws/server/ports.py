"""Ports of the loopback interface: whether one is free, and which process has it if not."""

from __future__ import annotations

import contextlib
import socket
from pathlib import Path

from localaws.settings import HOST


def is_free(port: int) -> bool:
    """Whether a server may listen on this port of the loopback interface."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def holder(port: int) -> str | None:
    """The process that listens on a port, with its command; None where /proc does not tell us."""
    inodes = set()
    for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        if table.exists():
            for line in table.read_text().splitlines()[1:]:
                fields = line.split()
                if fields[3] == "0A" and int(fields[1].rpartition(":")[2], 16) == port:
                    inodes.add(f"socket:[{fields[9]}]")
    for process in Path("/proc").glob("[0-9]*") if inodes else ():
        with contextlib.suppress(OSError):
            if any(str(link.readlink()) in inodes for link in (process / "fd").iterdir()):
                command = (process / "cmdline").read_bytes().replace(b"\0", b" ")
                return f"process {process.name} ({command.decode(errors='replace').strip()})"
    return None


def taken(port: int, by: str | None, *, variable: str) -> str:
    """The sentence for people: who has the port, and what to do about it."""
    by = by or "another program"
    return f"port {port} is taken by {by}: stop it, or set {variable} to another port"
