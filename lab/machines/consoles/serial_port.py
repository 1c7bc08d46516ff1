"""Consoles on a serial port of the machine that runs the lab (termios(3))."""

from __future__ import annotations

import fcntl
import os
import termios
import tty
from pathlib import Path

from lab.machines.consoles.stream import DescriptorStream, StreamLost, reason_of

_SPEED_FIELDS = (4, 5)  # of termios.tcgetattr: ispeed and ospeed
_CFLAG = 2


def open_serial(device: Path, baud: int) -> DescriptorStream:
    """Open a serial port: 8 data bits, no parity, one stop bit, no flow control, bytes as they are.

    It is locked as minicom and picocom do (flock), so that two programs do not share what arrives.

    Raises:
        StreamLost: it is not there, is no serial port, or another program has it.

    """
    try:
        descriptor = os.open(device, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise StreamLost(f"{reason_of(error)}: check nodes.*.machine.console.device") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        tty.setraw(descriptor)
        mode = termios.tcgetattr(descriptor)
        # Without CLOCAL an open port waits for a modem's carrier, and with HUPCL the DUT would see us leave.
        mode[_CFLAG] = (mode[_CFLAG] | termios.CLOCAL | termios.CREAD) & ~(
            termios.CRTSCTS | termios.CSTOPB | termios.HUPCL
        )
        for field in _SPEED_FIELDS:
            mode[field] = getattr(termios, f"B{baud}")
        termios.tcsetattr(descriptor, termios.TCSANOW, mode)
    except BlockingIOError as error:
        os.close(descriptor)
        raise StreamLost("another program has it: end that first (fuser tells which)") from error
    except (OSError, termios.error) as error:
        os.close(descriptor)
        raise StreamLost(f"it is no serial port ({error.args[-1]}): check nodes.*.machine.console.device") from error
    return DescriptorStream(descriptor, "the serial port is gone")
