"""One-time codes to a phone number, as a text message or through WhatsApp."""

from collections.abc import Sequence

from litestar.handlers import HTTPRouteHandler

from deploy.local.authsignal.addresses import check_phone
from deploy.local.authsignal.client_codes import code_routes
from deploy.local.authsignal.delivery import deliver_text, valid_minutes
from deploy.local.authsignal.mail import compose_phone_mail
from deploy.local.authsignal.model import Challenge, SmsChannel, User, VerificationMethod
from deploy.local.authsignal.otp import Budget, CodeChannel, six_digits
from deploy.local.authsignal.tenant import Tenant


class Sms:
    """Sends a code to a phone; both APIs can challenge by it."""

    method = VerificationMethod.SMS
    serves: tuple[VerificationMethod, ...] = (VerificationMethod.SMS,)

    def client_routes(self) -> Sequence[HTTPRouteHandler]:
        """Enrol, challenge and verify."""
        return code_routes(self, segment="sms")

    def server_channel(self) -> CodeChannel:
        """Itself."""
        return self

    def check_address(self, *, email: str | None, phone_number: str | None) -> str:
        """The phone number; an e-mail address is of no use here."""
        del email
        return check_phone(phone_number)

    def address_of_user(self, user: User) -> str | None:
        """The user's phone number."""
        return user.phone_number

    def new_secret(self) -> str:
        """Six digits."""
        return six_digits()

    def send_budget(self, tenant: Tenant) -> Budget:
        """The tenant's limit for text messages."""
        limits = tenant.tunables
        return Budget(calls_max=limits.sms_sends_max, window_seconds=limits.sms_sends_window_seconds)

    async def deliver(self, tenant: Tenant, challenge: Challenge) -> None:
        """Put the message into the outbox, and mail it to where people can read it."""
        is_whatsapp = self.method is VerificationMethod.WHATSAPP or challenge.sms_channel is SmsChannel.WHATSAPP
        mail = compose_phone_mail(
            number=challenge.address,
            service="WhatsApp" if is_whatsapp else "SMS",
            code=challenge.code,
            valid_minutes=valid_minutes(tenant, challenge),
            sent_at=tenant.clock.now(),
        )
        await deliver_text(tenant, challenge, mail)


class Whatsapp(Sms):
    """The same through WhatsApp: it has no enrolment of its own, and writes to numbers enrolled for SMS as well."""

    method = VerificationMethod.WHATSAPP
    serves: tuple[VerificationMethod, ...] = (VerificationMethod.WHATSAPP, VerificationMethod.SMS)

    def client_routes(self) -> Sequence[HTTPRouteHandler]:
        """Challenge and verify."""
        return code_routes(self, segment="whatsapp", can_enrol=False)
