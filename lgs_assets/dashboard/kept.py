"""Pages as they were made, for others who ask for the same view of the same build."""

from __future__ import annotations

import threading
from collections import OrderedDict


class KeptPages:
    """Packed pages by what names them. Those that were asked for last stay, up to so many bytes. For many threads."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._pages: OrderedDict[str, bytes] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def get(self, name: str) -> bytes | None:
        """The page of that name, if it is kept."""
        with self._lock:
            if page := self._pages.get(name):
                self._pages.move_to_end(name)
            return page

    def keep(self, name: str, page: bytes) -> None:
        """Keeps a page, in place of those that nobody has asked for the longest."""
        with self._lock:
            self._bytes += len(page) - len(self._pages.pop(name, b""))
            self._pages[name] = page
            while self._bytes > self._most_bytes:
                _, oldest = self._pages.popitem(last=False)
                self._bytes -= len(oldest)
