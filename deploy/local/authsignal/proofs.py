"""
The one place where a proof moves an action.

1. First the integrator is asked, if it has an `action.verify` webhook for this action and the proof would complete it.
   That takes time, so nothing may be held meanwhile: no transaction is open, and no code is used up.
2. Then, in one transaction with whatever the method itself stores, `record_proof` moves the state as
   `states.after_proof` allows, and mints the token that says so.
"""

from deploy.local.authsignal import devices
from deploy.local.authsignal.actions import claims_of, set_state
from deploy.local.authsignal.errors import Vetoed
from deploy.local.authsignal.model import Action, ActionState, VerificationMethod
from deploy.local.authsignal.scopes import ALL
from deploy.local.authsignal.states import after_proof
from deploy.local.authsignal.tenant import Tenant
from deploy.local.authsignal.webhooks import events


async def require_consent(
    tenant: Tenant, action: Action, method: VerificationMethod, authenticator_id: str | None = None
) -> None:
    """
    Ask the integrator whether the action may succeed. Call it outside of transactions.

    Raises:
        Vetoed: It said no, or nothing in time.
    """
    completes = after_proof(action.state) is ActionState.CHALLENGE_SUCCEEDED is not action.state
    urls = tenant.webhooks.urls.action_verify
    url = urls.get(action.action_code, urls.get("*"))
    if url is None or not completes:
        return
    data = events.action_verify(action, method, authenticator_id, now=tenant.clock.now())
    if not await tenant.webhooks.ask(url, "action.verify", data):
        raise Vetoed


def record_proof(
    tenant: Tenant, action: Action, method: VerificationMethod, authenticator_id: str | None, *, device_id: str | None = None
) -> str:
    """
    Store that the user proved themselves, and mint the token that says so.

    Args:
        tenant: The tenant.
        action: What the proof is for, read in the present transaction.
        method: How they did it.
        authenticator_id: With which of their authenticators.
        device_id: Where, if the proof itself says so; else the device given at track counts.
    """
    action.verification_method = method
    action.verified_by_authenticator_id = authenticator_id
    set_state(tenant, action, after_proof(action.state))
    devices.note_proof(tenant, action.user_id, device_id or action.device_id, method)
    return tenant.mint(claims_of(action, ALL))
