"""The log read by others: a tool that was written elsewhere, and one that was written from the specifications alone."""

import json
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import requests
from tlog_scales.backend import HttpBackend
from tlog_scales.reader import TilesReader
from tlog_scales.signing import Vkey

from services.audit.tree.hashing import leaf_hash
from tests.integration.audit.commands import LOG_KEY
from tests.integration.audit.lab import Author, Database, QueuePair, seal
from tests.integration.audit.service import SERVICE_TOKEN, Service, running_service

VERIFIER = Path(__file__).with_name("verifier.mjs")
