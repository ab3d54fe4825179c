"""org.kde.StatusNotifierItem: the icon as panels read it over D-Bus.

https://www.freedesktop.org/wiki/Specifications/StatusNotifierItem/ and, where desktops deviate
from it (the interface's name, ItemIsMenu), what KDE made of it:
https://invent.kde.org/frameworks/kstatusnotifieritem/-/blob/master/src/org.kde.StatusNotifierItem.xml
"""

# Annotations are the D-Bus signatures here and are read when the class is made.
# They also name what a panel passes and we don't need.
# ruff: noqa: ARG002

from collections.abc import Callable
from functools import lru_cache
from typing import Annotated, Any

from dbus_fast import PropertyAccess
from dbus_fast.annotations import DBusBool, DBusInt32, DBusObjectPath, DBusSignature, DBusStr
from dbus_fast.service import ServiceInterface, dbus_method, dbus_property, dbus_signal

from claude_sync_app.shown_text import one_line, shortened
from claude_sync_app.tray.icons.icons import Picture, image

SIZES = (16, 22, 24, 32, 48, 64)
"""Pixels. Panels are 16 to 48 high; the largest is for those that are scaled up."""

TOOLTIP_LIMIT = 127

_READ = PropertyAccess.READ
_Pixmaps = Annotated[list[Any], DBusSignature("a(iiay)")]
_ToolTip = Annotated[list[Any], DBusSignature("(sa(iiay)ss)")]


class ItemService(ServiceInterface):
    """Shows the icon. All of it happens in the loop's thread.

    Args:
        name: the application's, for people and as its id.
        menu_path: where its menu is.
        picture: what to show at first.
    """

    def __init__(self, name: str, menu_path: str, picture: Picture) -> None:
        super().__init__("org.kde.StatusNotifierItem")
        self._name = name
        self._menu_path = menu_path
        self._picture = picture
        self._activated: Callable[[], None] | None = None
        self._tooltip = ""
        self._status = "Active"

    def show(self, picture: Picture, tooltip: str, *, attention: bool) -> None:
        """Change what is shown; panels are notified only of real changes."""
        if picture != self._picture:
            self._picture = picture
            self.new_icon()
            self.new_attention_icon()
        if tooltip != self._tooltip:
            self._tooltip = tooltip
            self.new_tool_tip()
        status = "NeedsAttention" if attention else "Active"
        if status != self._status:
            self._status = status
            self.new_status(status)

    def react(self, activated: Callable[[], None] | None) -> None:
        """Change what a click on the icon does; None lets the panel open the menu."""
        if (activated is None) != (self._activated is None):
            # Panels have no signal for ItemIsMenu; those that keep it read it anew with this one.
            self.new_title()
        self._activated = activated

    # --- properties ---

    @dbus_property(_READ, name="Category")
    def category(self) -> DBusStr:
        return "ApplicationStatus"

    @dbus_property(_READ, name="Id")
    def item_id(self) -> DBusStr:
        return self._name

    @dbus_property(_READ, name="Title")
    def title(self) -> DBusStr:
        return self._name

    @dbus_property(_READ, name="Status")
    def status(self) -> DBusStr:
        return self._status

    @dbus_property(_READ, name="WindowId")
    def window_id(self) -> DBusInt32:
        return 0

    @dbus_property(_READ, name="IconThemePath")
    def icon_theme_path(self) -> DBusStr:
        return ""

    @dbus_property(_READ, name="IconName")
    def icon_name(self) -> DBusStr:
        return ""

    @dbus_property(_READ, name="IconPixmap")
    def icon_pixmap(self) -> _Pixmaps:
        return pixmaps(self._picture)

    @dbus_property(_READ, name="OverlayIconName")
    def overlay_icon_name(self) -> DBusStr:
        return ""

    @dbus_property(_READ, name="OverlayIconPixmap")
    def overlay_icon_pixmap(self) -> _Pixmaps:
        return []

    @dbus_property(_READ, name="AttentionIconName")
    def attention_icon_name(self) -> DBusStr:
        return ""

    @dbus_property(_READ, name="AttentionIconPixmap")
    def attention_icon_pixmap(self) -> _Pixmaps:
        return pixmaps(self._picture)

    @dbus_property(_READ, name="AttentionMovieName")
    def attention_movie_name(self) -> DBusStr:
        return ""

    @dbus_property(_READ, name="ToolTip")
    def tool_tip(self) -> _ToolTip:
        # In the title, for LXQt shows nothing else. It is plain text by the specification, but Qt
        # takes for markup what holds a tag.
        sentence = shortened(one_line(self._tooltip), TOOLTIP_LIMIT).replace("<", "‹")
        return ["", [], sentence or self._name, ""]

    @dbus_property(_READ, name="ItemIsMenu")
    def item_is_menu(self) -> DBusBool:
        return self._activated is None

    @dbus_property(_READ, name="Menu")
    def menu(self) -> DBusObjectPath:
        return self._menu_path

    # --- methods ---

    @dbus_method(name="Activate")
    def activate(self, x: DBusInt32, y: DBusInt32) -> None:
        # Where that is the panel's to do, `StatusNotifierIcon` answers, who knows which one asks.
        if self._activated is not None:
            self._activated()

    @property
    def is_left_to_the_panel(self) -> bool:
        """Whether a click on the icon is to open the menu, which is the panel's to do."""
        return self._activated is None

    @dbus_method(name="SecondaryActivate")
    def secondary_activate(self, x: DBusInt32, y: DBusInt32) -> None:
        """A click with the middle button decides nothing."""

    @dbus_method(name="ContextMenu")
    def context_menu(self, x: DBusInt32, y: DBusInt32) -> None:
        """The panel shows the menu itself, from its object."""

    @dbus_method(name="Scroll")
    def scroll(self, delta: DBusInt32, orientation: DBusStr) -> None:
        """Turning the wheel over the icon decides nothing."""

    @dbus_method(name="ProvideXdgActivationToken")
    def provide_xdg_activation_token(self, token: DBusStr) -> None:
        """There is no window to bring to the front."""

    # --- signals ---

    @dbus_signal(name="NewTitle")
    def new_title(self) -> None:
        """The title may have changed."""

    @dbus_signal(name="NewIcon")
    def new_icon(self) -> None:
        """The icon has changed."""

    @dbus_signal(name="NewAttentionIcon")
    def new_attention_icon(self) -> None:
        """The icon that asks for attention has changed."""

    @dbus_signal(name="NewOverlayIcon")
    def new_overlay_icon(self) -> None:
        """There is none; part of the interface."""

    @dbus_signal(name="NewToolTip")
    def new_tool_tip(self) -> None:
        """The tooltip has changed."""

    @dbus_signal(name="NewStatus")
    def new_status(self, status: str) -> DBusStr:
        return status


@lru_cache(maxsize=4)
def pixmaps(picture: Picture) -> list[Any]:
    """The icon in all sizes, as (width, height, ARGB bytes in network order)."""
    return [[size, size, _argb(picture, size)] for size in SIZES]


def _argb(picture: Picture, size: int) -> bytes:
    from PIL import Image

    red, green, blue, alpha = image(picture, size).split()
    return Image.merge("RGBA", (alpha, red, green, blue)).tobytes()
