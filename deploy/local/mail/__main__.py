"""Run the mail catcher: ``python -m deploy.local.mail --smtp-port 1025 --http-port 8025``."""

import argparse
import asyncio
import signal

from aiohttp import web
from aiosmtpd.smtp import SMTP

from deploy.local.mail.server import MESSAGE_BYTES_MAX, Catcher, create_page
from deploy.local.mail.store import Inbox


async def serve(host: str, smtp_port: int, http_port: int) -> None:
    """Serve until SIGTERM or SIGINT."""
    loop, stopped = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    inbox = Inbox()
    catcher = Catcher(inbox)

    def connection() -> SMTP:
        return SMTP(catcher, data_size_limit=MESSAGE_BYTES_MAX, enable_SMTPUTF8=True, hostname="localhost")

    smtp = await loop.create_server(connection, host, smtp_port)
    runner = web.AppRunner(create_page(inbox), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, host, http_port).start()
    try:
        await stopped.wait()
    finally:
        smtp.close()
        await runner.cleanup()


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(prog="python -m deploy.local.mail", description="Catch mail and show it.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--smtp-port", type=int, required=True)
    parser.add_argument("--http-port", type=int, required=True)
    options = parser.parse_args()
    asyncio.run(serve(options.host, options.smtp_port, options.http_port))


if __name__ == "__main__":
    main()
