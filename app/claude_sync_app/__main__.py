"""``python -m claude_sync_app`` is the command ``claude-sync``."""

from __future__ import annotations

import sys

from claude_sync_app.cli import main

if __name__ == "__main__":
    sys.exit(main())
