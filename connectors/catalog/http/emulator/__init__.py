"""A recording target: takes signed JSON, applies each effect once per key, and tells judges all.

It can refuse, stall, or lose its answer after the work is done, repeatably by seed. It is another
system and never part of ours.
"""

from connectors.catalog.http.emulator.book import Book, Entry, read_log
from connectors.catalog.http.emulator.faults import Faults
from connectors.catalog.http.emulator.rehearsal import rehearse
from connectors.catalog.http.emulator.serve import Recorder
from connectors.catalog.http.emulator.target import Target

__all__ = ["Book", "Entry", "Faults", "Recorder", "Target", "read_log", "rehearse"]
