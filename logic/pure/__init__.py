"""Pure FO(M): sentences without counting terms, in which M is the only way to count.

`to_pure` rewrites linear counting atoms; `logic.pure.derived` has the derived quantifiers one by one.
"""

from logic.pure.dialect import violations
from logic.pure.to_pure import to_pure

__all__ = ["to_pure", "violations"]
