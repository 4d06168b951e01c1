"""Numbered SQL files, applied in order by `services.audit.storage.migrate`, never edited once released."""
