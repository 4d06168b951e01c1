"""Why an erasure is not carried out."""

from shared.problems import Problem


class LegalHold(Problem):
    """The person's records must be kept."""

    code = "legal_hold"
    status = 409
    title = "On legal hold"
    detail = "These records are on legal hold and were not erased. Release the hold first."


class SeveralAccounts(Problem):
    """An address that was seen with several accounts does not say who is meant."""

    code = "several_accounts"
    status = 409
    title = "Which account?"
    detail = "This address was seen with several accounts. Erase each account by its id."


class NothingFound(Problem):
    """There is nothing to erase."""

    code = "nothing_found"
    status = 404
    title = "Nothing to erase"
    detail = "The log holds nothing about this subject, or it was erased before."
