"""What the user has asked for: the nearest settings file, what it extends, and the command line over it.

``values``: the settings of a run; ``table``: the keys of a file; ``reading``: which file, and its layers; ``checking``:
what is wrong with a file; ``lines``: where in it; ``schema``: the keys for editors; ``idle``: what has no effect.
"""

from session_lint.settings.reading import NAMES, configures, load
from session_lint.settings.values import EVERYTHING, Mistake, Settings, SettingsError, override, patterns

__all__ = ["EVERYTHING", "NAMES", "Mistake", "Settings", "SettingsError", "configures", "load", "override", "patterns"]
