"""Reading advocates."""

from community.advocates.actions import advocate_of

__all__ = ["advocate_of"]
