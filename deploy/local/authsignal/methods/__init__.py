"""The verification methods on offer: one module each, and this list."""

from deploy.local.authsignal.methods.base import Method
from deploy.local.authsignal.methods.email_otp import EmailOtp

METHODS: tuple[Method, ...] = (EmailOtp(),)

__all__ = ["METHODS", "Method"]
