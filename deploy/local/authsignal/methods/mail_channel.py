"""What every method that writes mail has in common."""

from deploy.local.authsignal.addresses import check_email
from deploy.local.authsignal.model import User
from deploy.local.authsignal.otp import Budget
from deploy.local.authsignal.tenant import Tenant


class MailChannel:
    """Writes to e-mail addresses, within the tenant's limit for mail."""

    def check_address(self, *, email: str | None, phone_number: str | None) -> str:
        """The e-mail address; a phone number is of no use here."""
        del phone_number
        return check_email(email)

    def address_of_user(self, user: User) -> str | None:
        """The user's e-mail address."""
        return user.email

    def send_budget(self, tenant: Tenant) -> Budget:
        """The tenant's limit for mail."""
        limits = tenant.tunables
        return Budget(calls_max=limits.email_sends_max, window_seconds=limits.email_sends_window_seconds)
