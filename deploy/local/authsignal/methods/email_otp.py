"""One-time codes by e-mail."""

from collections.abc import Sequence

from litestar.handlers import HTTPRouteHandler

from deploy.local.authsignal.addresses import check_email
from deploy.local.authsignal.client_codes import code_routes
from deploy.local.authsignal.delivery import deliver_mail, valid_minutes
from deploy.local.authsignal.mail import compose_code_mail
from deploy.local.authsignal.model import Challenge, User, VerificationMethod
from deploy.local.authsignal.otp import Budget, CodeChannel, six_digits
from deploy.local.authsignal.tenant import Tenant


class EmailOtp:
    """Sends a code by mail; both APIs can challenge by it."""

    method = VerificationMethod.EMAIL_OTP
    serves: tuple[VerificationMethod, ...] = (VerificationMethod.EMAIL_OTP,)

    def client_routes(self) -> Sequence[HTTPRouteHandler]:
        """Enrol, challenge and verify."""
        return code_routes(self, segment="email-otp")

    def server_channel(self) -> CodeChannel:
        """Itself."""
        return self

    def check_address(self, *, email: str | None, phone_number: str | None) -> str:
        """The e-mail address; a phone number is of no use here."""
        del phone_number
        return check_email(email)

    def address_of_user(self, user: User) -> str | None:
        """The user's e-mail address."""
        return user.email

    def new_secret(self) -> str:
        """Six digits."""
        return six_digits()

    def send_budget(self, tenant: Tenant) -> Budget:
        """The tenant's limit for mail."""
        limits = tenant.tunables
        return Budget(calls_max=limits.email_sends_max, window_seconds=limits.email_sends_window_seconds)

    async def deliver(self, tenant: Tenant, challenge: Challenge) -> None:
        """Mail the code and put it into the outbox."""
        mail = compose_code_mail(
            to=challenge.address,
            code=challenge.code,
            valid_minutes=valid_minutes(tenant, challenge),
            sent_at=tenant.clock.now(),
        )
        await deliver_mail(tenant, challenge, mail)
