"""Stands for AppKit and what pystray uses beside it, which only macOS has: it notes what is asked.

Everything answers; what a test wants to know of it, it looks up by name.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any
from unittest.mock import MagicMock

import pytest


class NSObject:
    """What classes of Objective-C are made of, as far as ours go."""

    @classmethod
    def alloc(cls) -> NSObject:
        return cls()

    def init(self) -> NSObject:
        return self


class MacOS:
    """The modules, in the place of those that aren't there.

    Attributes:
        appkit: AppKit.
        signals: what each signal calls while AppKit's loop runs.
    """

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.signals: dict[int, Any] = {}
        self.appkit = MagicMock()
        self.application = self.appkit.NSApplication.sharedApplication()
        self.centre = self.appkit.NSWorkspace.sharedWorkspace().notificationCenter()
        mach_signals = ModuleType("PyObjCTools.MachSignals")
        vars(mach_signals).update(signal=self.signals.__setitem__, getsignal=self.signals.get)
        tools, foundation = ModuleType("PyObjCTools"), ModuleType("Foundation")
        vars(tools).update(MachSignals=mach_signals, AppHelper=MagicMock())
        vars(foundation).update(NSObject=NSObject, NSData=MagicMock())
        objective_c = ModuleType("objc")
        vars(objective_c)["namedSelector"] = lambda _: lambda function: function
        modules = {"AppKit": self.appkit, "Foundation": foundation, "objc": objective_c}
        modules |= {"PyObjCTools": tools, "PyObjCTools.MachSignals": mach_signals}
        for name, module in modules.items():
            patch.setitem(sys.modules, name, module)
        patch.setenv("PYSTRAY_BACKEND", "dummy")
        import pystray

        # What it took of another test's modules isn't to be found again.
        patch.delitem(sys.modules, "pystray._darwin", raising=False)
        patch.delattr(pystray, "_darwin", raising=False)
