"""The two front ends of claude_sync: the command line and the tray application."""
