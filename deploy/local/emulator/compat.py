"""Put every correction in place, once, before the emulator serves."""

from importlib.metadata import version

from deploy.local.emulator import attributes, batches, custom_auth, directory, lock, refresh, sign_up

MINISTACK_VERSION = "1.5.33"


class WrongEmulator(Exception):
    """Another ministack is installed than the one these corrections were written against."""


def apply() -> None:
    """
    Correct the emulator.

    Raises:
        WrongEmulator: The corrections reach into private functions, so they hold for one version only.
    """
    installed = version("ministack")
    if installed != MINISTACK_VERSION:
        raise WrongEmulator(f"ministack {MINISTACK_VERSION} is needed, {installed} is installed. Run make install.")
    for part in (directory, sign_up, attributes, custom_auth, refresh, lock, batches):
        part.apply()
