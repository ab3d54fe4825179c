"""What the service goes by: the preferences, and what it was started with in their place. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from claude_sync.state.preferences import Preferences


@dataclass(frozen=True, slots=True)
class Settings:
    """The preferences as the service reads them.

    Args:
        on_arrival, interval_seconds: in place of the preferences; None for those.
        preferences: what the user chose.
    """

    on_arrival: str | None = None
    interval_seconds: float | None = None
    preferences: Preferences = Preferences()  # noqa: RUF009 -- it is immutable

    @property
    def look_interval(self) -> float:
        """How often to look at the store, seconds."""
        return self.interval_seconds or self.preferences.pull_interval_seconds

    @property
    def pulls_arrivals(self) -> bool:
        """Whether what arrives is pulled by itself."""
        return (self.on_arrival or self.preferences.on_arrival) == "pull"

    @property
    def store_choice(self) -> tuple[object, ...]:
        """What has to be opened anew when it changes."""
        chosen = self.preferences
        return (
            chosen.location,
            chosen.store_id,
            chosen.ssh_command,
            chosen.claude_config_dir,
            chosen.watch_store,
        )

    def paused_until(self, now: float) -> float | None:
        """When the pause ends, None where there is none (any more).

        Args:
            now: seconds since the epoch, as what it returns.
        """
        until = self.preferences.paused_until
        return until if until is not None and now < until else None

    def pushes_at(self, now: float) -> bool:
        """Whether what changes is pushed by itself at a moment, seconds since the epoch."""
        return self.preferences.push_on_change and self.paused_until(now) is None
