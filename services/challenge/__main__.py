"""Run the challenge service: ``python -m services.challenge --settings FILE``."""

from services.challenge.app import create_app
from services.challenge.settings import ChallengeSettings
from shared.serving import run_service

if __name__ == "__main__":
    run_service("challenge", ChallengeSettings, create_app)
