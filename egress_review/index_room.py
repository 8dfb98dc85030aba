"""The file of an index while it is written: several columns at once, each piece at a place of its own."""

from __future__ import annotations

import os
import threading
from typing import Any

import numpy as np
import numpy.typing as npt


class Room:
    """A file that several columns are written into at once: each piece gets a place of its own."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.end = 0
        self._lock = threading.Lock()

    def take(self, size: int) -> int:
        """The place of a new piece of `size` bytes."""
        with self._lock:
            place = self.end
            self.end += size + -size % 8
        return place

    def write(self, array: npt.NDArray[Any], place: int) -> None:
        """Writes all of `array` at `place`."""
        view = np.ascontiguousarray(array).view(np.uint8).data
        done = 0
        while done < len(view):
            done += os.pwrite(self.descriptor, view[done:], place + done)

    def copy(self, source: int, size: int, place: int) -> None:
        """Copies `size` bytes from `source` to `place`."""
        while size:
            part = os.pread(self.descriptor, min(size, 1 << 22), source)
            if not part:
                raise OSError("the index was cut short while it was written")
            self.write(np.frombuffer(part, np.uint8), place)
            source, place, size = source + len(part), place + len(part), size - len(part)
