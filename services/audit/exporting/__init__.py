"""Entries in other people's formats, and files of them of any size in bounded memory."""
