"""What clicks do: the handlers of the verbs, each called with the TrayContext and the Action.

Those of `immediate` submit commands to the service. All others may wait: for a person at a dialog,
a program that starts, the disk.
"""
