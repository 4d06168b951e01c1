"""
Rules: who is challenged, blocked, let through or sent to review. Pure.

1. Of the active rules for an action (or for every action) whose condition holds, the one with the lowest priority
   number decides; equal numbers go by the order in which the rules were made.
2. Without one, the outcome set for the action decides, and without that the tenant's default.
3. A rule may also narrow the methods that are offered, and choose the one to start with.

What a condition can look at: `user` (id, email, phoneNumber, isEnrolled, custom.*), `ip.address`, `ip.isAnonymous`,
`device` (id, isNew, isRemembered, userAgent), `action.code`, and `custom.*`, the data points sent with track.
"""

import uuid
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from deploy.local.authsignal import conditions
from deploy.local.authsignal.model import Outcome, RuleRef, VerificationMethod

_Words = Annotated[str, Meta(min_length=1, max_length=200)]


class RuleRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A rule to set."""

    name: _Words
    type: Outcome
    description: Annotated[str, Meta(max_length=1_000)] | None = None
    action: Annotated[str, Meta(pattern="^[A-Za-z0-9_-]{1,64}$")] | None = None  # every action, if None
    priority: Annotated[int, Meta(ge=0, le=99)] = 50
    is_active: bool = True
    conditions: Any = True
    verification_methods: tuple[VerificationMethod, ...] | None = None
    default_verification_method: VerificationMethod | None = None


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """A rule that is set."""

    rule_id: str
    rule: RuleRequest

    @property
    def ref(self) -> RuleRef:
        """How an action remembers it."""
        return RuleRef(rule_id=self.rule_id, name=self.rule.name, description=self.rule.description)


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What was decided about one action, and by which rules; the first one decided."""

    outcome: Outcome
    matched: tuple[RuleRef, ...] = ()
    allowed_methods: tuple[VerificationMethod, ...] | None = None
    default_method: VerificationMethod | None = None


class RuleTable:
    """The rules that are set."""

    def __init__(self) -> None:
        self._rules: dict[str, Rule] = {}

    def put(self, request: RuleRequest, rule_id: str | None = None) -> Rule:
        """
        Set a rule, or replace the one with this id.

        Raises:
            BadCondition: Its condition cannot be evaluated; nothing is changed.
        """
        conditions.check(request.conditions)
        rule = Rule(rule_id=rule_id or str(uuid.uuid4()), rule=request)
        self._rules[rule.rule_id] = rule
        return rule

    def remove(self, rule_id: str) -> bool:
        """Take a rule back; False if there is none of this id."""
        return self._rules.pop(rule_id, None) is not None

    def clear(self) -> None:
        """Take them all back."""
        self._rules.clear()

    def view(self) -> list[Rule]:
        """All of them, in the order in which they decide."""
        return sorted(self._rules.values(), key=lambda item: item.rule.priority)

    def decide(self, action_code: str, facts: Mapping[str, Any], *, otherwise: Outcome) -> Decision:
        """What happens to a new instance of this action."""
        matched = [item for item in self.view() if _matches(item.rule, action_code, facts)]
        if not matched:
            return Decision(outcome=otherwise)
        first = matched[0].rule
        return Decision(
            outcome=first.type,
            matched=tuple(item.ref for item in matched),
            allowed_methods=first.verification_methods,
            default_method=first.default_verification_method,
        )


def _matches(rule: RuleRequest, action_code: str, facts: Mapping[str, Any]) -> bool:
    return rule.is_active and rule.action in (None, action_code) and conditions.holds(rule.conditions, facts)
