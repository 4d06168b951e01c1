"""Run the gateway: ``python -m services.gateway --settings FILE``."""

from services.gateway.app import create_app
from services.gateway.settings import GatewaySettings
from shared.serving import run_service

if __name__ == "__main__":
    run_service("gateway", GatewaySettings, create_app)
