"""Problems that only the audit API answers with."""

from typing import Any

from services.audit.alerting.records import TooMuch
from services.audit.storage.database import DatabaseUnavailable, QueryTooSlow
from shared.http.problems import AnyRequest, on_problem
from shared.problems import AuditUnavailableProblem, Problem, ProviderBusy, retry_after


class ReadNotRecorded(AuditUnavailableProblem):
    """The queue refused the event that says who reads, so nothing is shown."""

    title = "Reading is paused"
    detail = "We cannot record this request right now, so we did not answer it. Try again in a moment."


class NothingChanged(AuditUnavailableProblem):
    """The queue refused what comes before a change, so nothing was done."""

    title = "Changes are paused"


class DoneNotRecorded(AuditUnavailableProblem):
    """The change is made; the event that says so waits for the queue, and is offered again."""

    title = "Done, and not recorded yet"
    detail = "The change was made. The event that says so waits for the queue: look at the list before you try again."


class LogUnavailable(ProviderBusy):
    """The database is away."""

    title = "The log cannot be read right now"
    detail = "The log's database is not answering. Nothing is lost; try again in a moment."


class NotSealedYet(Problem):
    """The entry is in the log and has no place in the tree yet."""

    code = "not_sealed_yet"
    status = 409
    title = "Not sealed yet"
    detail = "This event was recorded a moment ago and is not sealed yet. Ask again in a second."


class LogDamaged(Problem):
    """What is stored does not bear out what was signed."""

    code = "log_damaged"
    status = 500
    title = "The log does not prove this event"
    detail = "The stored log does not fit the signed checkpoint. Run countersign audit verify to see what was changed."


class EntriesMissing(Problem):
    """Sealed entries are not there any more; `leaf_indexes` names them."""

    code = "entries_missing"
    status = 404
    title = "Entries are missing"
    detail = "Entries that were sealed are not in the log any more."


class ExportExpired(Problem):
    """The file was fetched too late."""

    code = "export_expired"
    status = 410
    title = "This export has expired"
    detail = "An export can be fetched for ten minutes. Make a new one."


class DroppedByRetention(Problem):
    """The month of the event was dropped: its hash is in the tree, its bytes are in the archive."""

    code = "dropped_by_retention"
    status = 410
    title = "This month is in the archive"
    detail = "The month of this event was dropped from the database. Verify it with countersign audit verify --archive."


class SearchTooBroad(Problem):
    """The search ran into its time limit."""

    code = "search_too_broad"
    status = 422
    title = "This search takes too long"
    detail = "This search takes too long. Narrow it: a shorter time range, a subject, an address or an event type."


class SearchNameTaken(Problem):
    """The caller keeps another search under this name."""

    code = "name_taken"
    status = 409
    title = "This name is taken"
    detail = "You have a search of this name. Choose another name, or change that search."


def on_database_unavailable(request: AnyRequest, error: DatabaseUnavailable) -> Any:
    """Answer that the log cannot be read now."""
    return on_problem(request, LogUnavailable(str(error), headers=retry_after(2)))


def on_too_much(request: AnyRequest, error: TooMuch) -> Any:
    """Answer that the question is too broad."""
    return on_problem(request, SearchTooBroad(str(error)))


def on_query_too_slow(request: AnyRequest, error: QueryTooSlow) -> Any:
    """Answer that the question is too broad."""
    return on_problem(request, SearchTooBroad(str(error)))
