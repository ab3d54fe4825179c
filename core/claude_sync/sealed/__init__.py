"""What an encrypted store's files are made of (FORMAT.md, "The encrypted store"). PURE.

Keys, names and the sealed file; no file is read or written here. The libraries that encrypt and
compress are imported where that is done: who works with a plain store needs neither.
"""
