"""claude-sync inside Claude Code: the plugin, and what its hooks run.

`hook` is the program that the client starts; it imports next to nothing before it has to. What the
plugin consists of lies in ``assets/plugin``; `plugin_files` copies it to where it outlives an
upgrade, and `installation` has the client install it from there.
"""
