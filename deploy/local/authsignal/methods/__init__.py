"""The verification methods on offer: one module each, and this list."""

from deploy.local.authsignal.methods.authenticator_app import AuthenticatorApp
from deploy.local.authsignal.methods.base import Method
from deploy.local.authsignal.methods.email_otp import EmailOtp
from deploy.local.authsignal.methods.in_app import InApp
from deploy.local.authsignal.methods.magic_link import MagicLink
from deploy.local.authsignal.methods.passkey import Passkey
from deploy.local.authsignal.methods.push import Push
from deploy.local.authsignal.methods.qr_code import QrCode
from deploy.local.authsignal.methods.security_key import SecurityKey
from deploy.local.authsignal.methods.texts import Sms, Whatsapp

METHODS: tuple[Method, ...] = (
    EmailOtp(),
    MagicLink(),
    Sms(),
    Whatsapp(),
    AuthenticatorApp(),
    Passkey(),
    SecurityKey(),
    Push(),
    QrCode(),
    InApp(),
)

__all__ = ["METHODS", "Method"]
