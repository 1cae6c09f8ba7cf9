"""Failures that the person who runs the product can mend."""


class OperatorProblem(Exception):
    """Something outside the code is not as it must be. The message is for a person: what, why, and the way out.

    The command line prints it without a traceback and exits with 1.
    """
