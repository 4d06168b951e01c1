"""One-time codes by e-mail."""

from collections.abc import Sequence

from litestar.handlers import HTTPRouteHandler

from deploy.local.authsignal.client_codes import code_routes
from deploy.local.authsignal.delivery import deliver_mail, valid_minutes
from deploy.local.authsignal.mail import compose_code_mail
from deploy.local.authsignal.methods.mail_channel import MailChannel
from deploy.local.authsignal.model import Challenge, VerificationMethod
from deploy.local.authsignal.otp import CodeChannel, six_digits
from deploy.local.authsignal.tenant import Tenant


class EmailOtp(MailChannel):
    """Sends a code by mail; both APIs can challenge by it."""

    method = VerificationMethod.EMAIL_OTP
    serves: tuple[VerificationMethod, ...] = (VerificationMethod.EMAIL_OTP,)

    def client_routes(self) -> Sequence[HTTPRouteHandler]:
        """Enrol, challenge and verify."""
        return code_routes(self, segment="email-otp")

    def server_channel(self) -> CodeChannel:
        """Itself."""
        return self

    def new_secret(self) -> str:
        """Six digits."""
        return six_digits()

    async def deliver(self, tenant: Tenant, challenge: Challenge) -> None:
        """Mail the code and put it into the outbox."""
        mail = compose_code_mail(
            to=challenge.address,
            code=challenge.code,
            valid_minutes=valid_minutes(tenant, challenge),
            sent_at=tenant.clock.now(),
        )
        await deliver_mail(tenant, challenge, mail)
