"""Where the local stack keeps its files."""

from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
DEFAULT_STATE_DIR = REPOSITORY / ".local"


@dataclass(frozen=True)
class Layout:
    """The folders and files under one state directory."""

    root: Path

    @property
    def config(self) -> Path:
        """Settings files, written anew at every start."""
        return self.root / "config"

    @property
    def secrets(self) -> Path:
        """Keys and passwords, made once, readable by their owner alone."""
        return self.root / "secrets"

    @property
    def logs(self) -> Path:
        """One log for each child, and the one of the run before."""
        return self.root / "logs"

    @property
    def stack_file(self) -> Path:
        """What tools and tests read; it exists while the stack is ready."""
        return self.root / "stack.json"

    @property
    def lock_file(self) -> Path:
        """Held by the one stack that uses this directory."""
        return self.root / "lock"

    def data(self, part: str) -> Path:
        """Return the folder in which one part keeps what must survive a restart."""
        return self.root / "data" / part

    def make(self) -> None:
        """Make the folders that every start needs; nobody else on the machine may read in them."""
        for folder in (self.root, self.root / "data"):
            if not folder.exists():
                folder.mkdir(parents=True)
                # PostgreSQL runs as another user when this one is root: it may pass through, not look around.
                folder.chmod(0o711)
        for folder in (self.config, self.logs, self.secrets):
            folder.mkdir(mode=0o700, exist_ok=True)
