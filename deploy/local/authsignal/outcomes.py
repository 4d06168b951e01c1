"""What the rules would decide, set by a test: one outcome per action code, and one for the rest."""

from deploy.local.authsignal.model import Outcome


class OutcomeTable:
    """Decides the outcome of an action when it is first tracked."""

    def __init__(self) -> None:
        self._by_action: dict[str, Outcome] = {}

    def decide(self, action_code: str, *, default: Outcome) -> Outcome:
        """Outcome for a new instance of this action."""
        return self._by_action.get(action_code, default)

    def set(self, action_code: str, outcome: Outcome) -> None:
        """From now on, instances of this action get this outcome."""
        self._by_action[action_code] = outcome

    def unset(self, action_code: str) -> None:
        """Back to the default."""
        self._by_action.pop(action_code, None)

    def clear(self) -> None:
        """Back to the default for every action."""
        self._by_action.clear()

    def view(self) -> dict[str, Outcome]:
        """The exceptions to the default."""
        return dict(self._by_action)
