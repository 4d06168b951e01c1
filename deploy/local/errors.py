"""What the local stack tells a person when it cannot go on."""


class StackError(Exception):
    """
    The stack cannot start or go on.

    The text is for the person at the terminal: what is wrong and what to do next, without a stack trace. Its first
    line is complete in itself; further lines are evidence, such as the end of a log.
    """


class Interrupted(Exception):
    """The person asked to stop while the stack was still starting."""
