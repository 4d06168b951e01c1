"""The simulator's pages: the front page, the pre-built UI, the page behind a magic link, and the control page."""

from deploy.local.authsignal.pages.handlers import PAGE_HANDLERS

__all__ = ["PAGE_HANDLERS"]
