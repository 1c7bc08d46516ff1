"""Plays machines on a boot network, from a namespace with an address on it: python3 client.py STEPS.

STEPS is a JSON list. ["dhcp", {...}] sends a DHCP message and prints the first answer to its MAC (or null); ["tftp",
server, name, blocks, word] reads so many blocks of a file (null: all), says the word, if any, and prints the bytes.
["http", server, port, name, bytes] reads so many bytes (null: all) and resets the connection; prints the status line.
"""

import json
import socket
import struct
import sys
import time
from typing import Any

COOKIE = bytes.fromhex("63825363")
TYPE, REQUESTED, SERVER, VENDOR_CLASS, USER_CLASS, ARCHITECTURE = 53, 50, 54, 60, 77, 93


def dhcp(step: dict[str, Any], link: socket.socket) -> dict[str, Any] | None:
    """Send a message (RFC 2131 section 2) as machine step["mac"]; wait for an answer to it for step["wait_s"]."""
    mac = bytes.fromhex(step["mac"].replace(":", ""))
    architecture = step.get("architecture", 0)
    kind = "HTTPClient" if architecture == 16 else "PXEClient"
    options = {
        TYPE: bytes([step.get("type", 1)]),
        VENDOR_CLASS: f"{kind}:Arch:{architecture:05}:UNDI:003016".encode(),
        ARCHITECTURE: struct.pack(">H", architecture),
    }
    if step.get("ipxe"):
        options[USER_CLASS] = b"iPXE"
    for name, code in (("requested", REQUESTED), ("server", SERVER)):
        if name in step:
            options[code] = socket.inet_aton(step[name])
    ciaddr = socket.inet_aton(step.get("ciaddr", "0.0.0.0"))
    packet = struct.pack(
        ">BBBBIHH4s12x", 1, 1, 6, 0, step.get("transaction", 1), 0, 0 if "ciaddr" in step else 0x8000, ciaddr
    )
    packet += mac + bytes(10 + 64 + 128) + COOKIE
    packet += b"".join(bytes([code, len(value)]) + value for code, value in options.items()) + b"\xff"
    link.sendto(packet, (step.get("to", "255.255.255.255"), step.get("port", 67)))
    end_s = time.monotonic() + step.get("wait_s", 2.0)
    while (left_s := end_s - time.monotonic()) > 0:
        link.settimeout(left_s)
        try:
            answer = link.recv(2000)
        except TimeoutError:
            break
        if answer[0] == 2:
            return read(answer)
    return None


def read(answer: bytes) -> dict[str, Any]:
    """Read an answer: for whom, addresses, file, and the options of text that matter here."""
    options, at = {}, 240
    while at < len(answer) and answer[at] != 255:
        if answer[at] == 0:
            at += 1
            continue
        options[answer[at]] = answer[at + 2 : at + 2 + answer[at + 1]]
        at += 2 + answer[at + 1]
    file = options.get(67, b"") or answer[108:236]
    return {
        "mac": answer[28:34].hex(":"),
        "type": options[TYPE][0],
        "ip": socket.inet_ntoa(answer[16:20]),
        "next_server": socket.inet_ntoa(answer[20:24]),
        "file": file.split(b"\0")[0].decode(),
        "class": options.get(VENDOR_CLASS, b"").decode(),
    }


def tftp(server: str, name: str, blocks: int | None, word: str = "") -> int:
    """Read blocks of a file (RFC 1350), or -1 where the server sends an error; after the last an error, or nothing."""
    size = 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        link.settimeout(2.0)
        link.sendto(struct.pack(">H", 1) + name.encode() + b"\0octet\0", (server, 69))
        while True:
            packet, address = link.recvfrom(1000)
            code, block = struct.unpack(">HH", packet[:4])
            if code == 5:
                return -1
            size += len(packet) - 4
            if blocks is not None and block >= blocks:
                if word:
                    link.sendto(struct.pack(">HH", 5, 0) + word.encode() + b"\0", address)
                return size
            link.sendto(struct.pack(">HH", 4, block), address)
            if len(packet) < 516:
                return size


def http(server: str, port: int, name: str, size: int | None) -> str:
    """Read a file by HTTP, all of it or not."""
    with socket.create_connection((server, port), 2.0) as link:
        link.sendall(f"GET /{name} HTTP/1.1\r\nHost: {server}\r\nConnection: close\r\n\r\n".encode())
        data = link.recv(1000)
        status = data.split(b"\r\n", 1)[0].decode()
        read = len(data)
        while (size is None or read < size) and (data := link.recv(4096)):
            read += len(data)
        if size is not None:
            link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return status


FETCH: dict[str, Any] = {"tftp": tftp, "http": http}
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bound:
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"c0")  # there is no route to everywhere
    bound.bind(("", 68))
    results: list[Any] = []
    for what, *arguments in json.loads(sys.argv[1]):
        results.append(dhcp(arguments[0], bound) if what == "dhcp" else FETCH[what](*arguments))
print(json.dumps(results))
