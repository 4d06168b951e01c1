"""The settings of streams."""

import re
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

Name = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
StreamFormat = Literal["ndjson", "ocsf"]
# A signature and a name show who speaks; what is said must not be read on the way.
WEBHOOK_URL: Final = re.compile(r"https://[^ ]+|http://(127\.0\.0\.1|localhost|\[::1\])(:\d+)?(/[^ ]*)?")


class Stream(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind"):
    """
    One receiver. Its name is where its cursor is kept: another name begins again.

    `is_required`: no month is dropped before this receiver has it.
    """

    name: Name
    format: StreamFormat = "ndjson"
    is_required: bool = False
    # Where a stream that is new begins: with the first entry of the log, or with what is sealed from now on.
    begins: Literal["start", "now"] = "start"
    # A batch closes at whichever comes first. Receivers refuse what is too large for them: HTTP collectors often at 1 MB.
    batch_entries_max: Annotated[int, Meta(ge=1, le=10_000)] = 500
    batch_bytes_max: Annotated[int, Meta(ge=70_000, le=100_000_000)] = 1_000_000


class WebhookStream(Stream, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="webhook"):
    """An HTTPS endpoint; `secret_file` holds the keys that sign what it is sent."""

    url: str
    secret_file: str
    seconds_max: Annotated[float, Meta(gt=0, le=60)] = 10.0

    def __post_init__(self) -> None:
        """Refuse an address to which the log would travel in the clear."""
        if not WEBHOOK_URL.fullmatch(self.url):
            raise ValueError(f"stream {self.name}: give an https URL")


class S3Stream(Stream, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="s3"):
    """A bucket, and what its keys begin with. S3 bills by object, so batches are larger."""

    bucket: str
    prefix: Annotated[str, Meta(pattern=r"^([A-Za-z0-9._=-]+/)*$")] = ""
    batch_entries_max: Annotated[int, Meta(ge=1, le=10_000)] = 10_000
    batch_bytes_max: Annotated[int, Meta(ge=70_000, le=100_000_000)] = 20_000_000
