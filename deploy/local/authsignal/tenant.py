"""The tenant: settings and collaborators, in one place that every operation takes as its first argument."""

from dataclasses import dataclass, field

import msgspec

from deploy.local.authsignal.clock import Clock
from deploy.local.authsignal.limits import SlidingWindow
from deploy.local.authsignal.mail import Mailer, Outbox
from deploy.local.authsignal.model import Authenticator, User, VerificationMethod
from deploy.local.authsignal.notices import Notices
from deploy.local.authsignal.outcomes import OutcomeTable
from deploy.local.authsignal.rules import RuleTable
from deploy.local.authsignal.settings import SimulatorSettings, Tunables
from deploy.local.authsignal.store import Store
from deploy.local.authsignal.tokens import TokenClaims, TokenMint
from deploy.local.authsignal.webhooks.dispatcher import Dispatcher


@dataclass(kw_only=True)
class Tenant:
    """Everything that one running simulator holds."""

    settings: SimulatorSettings
    store: Store
    tokens: TokenMint
    mailer: Mailer
    tunables: Tunables
    clock: Clock
    webhooks: Dispatcher
    limits: SlidingWindow = field(default_factory=SlidingWindow)
    outcomes: OutcomeTable = field(default_factory=OutcomeTable)
    rules: RuleTable = field(default_factory=RuleTable)
    outbox: Outbox = field(default_factory=Outbox)
    notices: Notices = field(default_factory=Notices)

    @classmethod
    def open(cls, settings: SimulatorSettings) -> "Tenant":
        """
        Open the state file and put the parts together.

        Raises:
            StoreUnusable: The state file cannot be used.
        """
        clock = Clock()
        tenant = cls(
            settings=settings,
            store=Store(settings.state_file),
            tokens=TokenMint(keys=settings.secret_keys, tenant_id=settings.tenant_id, issuer=settings.api_url),
            mailer=Mailer(settings.smtp_host, settings.smtp_port),
            tunables=settings.tunables,
            clock=clock,
            webhooks=Dispatcher(tenant_id=settings.tenant_id, keys=settings.secret_keys, clock=clock, urls=settings.webhooks),
        )
        tenant.use(settings.tunables)
        tenant.store.delete_challenges_before(tenant.clock.now() - 86_400)
        return tenant

    def mint(self, claims: TokenClaims) -> str:
        """Sign a fresh token for an action instance."""
        duration = self.tunables.token_duration_seconds
        return self.tokens.mint(claims, now=self.clock.now(), duration_seconds=duration)

    def user_or_new(self, user_id: str) -> User:
        """The stored user, or an unsaved new one."""
        return self.store.user(user_id) or User(user_id=user_id, created_at=self.clock.now())

    def verified_authenticators(self, user_id: str) -> list[Authenticator]:
        """The authenticators that count: proven ones, oldest first."""
        return [item for item in self.store.authenticators(user_id) if item.verified_at is not None]

    def enrolled_methods(self, user_id: str) -> list[VerificationMethod]:
        """Methods the user has, each once, in the order in which they were enrolled."""
        return list(dict.fromkeys(item.verification_method for item in self.verified_authenticators(user_id)))

    def default_method(self, user: User) -> VerificationMethod | None:
        """The user's own choice, else their default authenticator's method, else the first enrolled."""
        if user.default_verification_method is not None:
            return user.default_verification_method
        verified = self.verified_authenticators(user.user_id)
        marked = next((item for item in verified if item.is_default), None) or next(iter(verified), None)
        return marked.verification_method if marked else None

    def tune(self, changes: dict[str, object]) -> None:
        """
        Replace some tunables.

        Raises:
            msgspec.ValidationError: An unknown name, or a value out of bounds; nothing is changed then.
        """
        self.use(msgspec.convert({**msgspec.to_builtins(self.tunables), **changes}, Tunables))

    def use(self, tunables: Tunables) -> None:
        """Put tunables into force."""
        self.tunables = self.webhooks.tunables = tunables
