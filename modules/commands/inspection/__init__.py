"""What a file or a folder has: its task, the reader that reads it, and what looks wrong in it."""

from .found import Found, Options
from .paths import inspect_path

__all__ = ["Found", "Options", "inspect_path"]
