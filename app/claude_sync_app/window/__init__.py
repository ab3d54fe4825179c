"""The window: a local web page for all that wants reading, searching or deciding.

Nothing of this is imported before somebody asks for it.
"""
