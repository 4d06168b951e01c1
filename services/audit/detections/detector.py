"""All rules over a range of the log."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

from services.audit.detections.model import About, Alert, Record, Rule
from services.audit.detections.parameters import DetectionParameters
from services.audit.detections.rules import FatigueRule, RefreshReuseRule, SprayRule, StuffingRule
from services.audit.detections.takeover import TakeoverRule
from services.audit.detections.travel import TravelRule
from shared.events import EventType

Histories = Mapping[int, Sequence[Record]]


class Detector:
    """
    Reads the log from some place on, in its order, and says what it finds.

    What it finds in a range depends on the parameters, on that range and on what is up to `look_back` before it, and not on how
    the range was cut into batches: a replay over the same range finds the same.
    """

    def __init__(self, parameters: DetectionParameters) -> None:
        self._rules: list[Rule] = [
            StuffingRule(parameters.stuffing),
            SprayRule(parameters.spray),
            FatigueRule(parameters.fatigue),
            TravelRule(parameters.travel),
            RefreshReuseRule(),
        ]
        self._takeover = TakeoverRule(parameters.takeover)
        self.about: list[About] = [*(rule.about for rule in self._rules), self._takeover.about]
        self.history_reach: timedelta = self._takeover.history_reach
        self.look_back: timedelta = max(rule.look_back for rule in self._rules)
        self.types: frozenset[EventType] = self._takeover.types.union(*(rule.types for rule in self._rules))

    def whose_history(self, record: Record) -> str | None:
        """Return whose earlier sign-ins `feed` wants beside an event; see `TakeoverRule.judge`."""
        return self._takeover.needs_history(record)

    def feed(self, records: Iterable[Record], histories: Histories) -> list[Alert]:
        """
        Take in what comes next in the log.

        Args:
            records: In the order of the log.
            histories: By leaf index of the event for which `whose_history` named somebody: that person's sign-ins.

        Returns:
            Alerts in the order in which they were found.
        """
        found: list[Alert | None] = []
        for record in records:
            found += [rule.observe(record) for rule in self._rules if record.event.event_type in rule.types]
            if record.leaf_index in histories:
                found.append(self._takeover.judge(record, histories[record.leaf_index]))
        return [alert for alert in found if alert is not None]

    def warm_up(self, records: Iterable[Record]) -> None:
        """Take in what lies before the range, for what the rules remember of it alone."""
        self.feed(records, {})
