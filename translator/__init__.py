"""From an ONNX file to a threshold-circuit family and an FO(M) sentence.

``translator.translate("model.onnx")`` gives a `Translation`; ``load`` reads one back from its folder; ``verify`` proves either,
and ``explain`` says in short what it computes.
The front is imported on first use, so that the command line answers at once.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from translator.explanations.explaining import Search
    from translator.explanations.whole import Look, explain
    from translator.pipeline import Settings, Translation, translate
    from translator.store import Artifacts, load
    from translator.verification import verify
    from translator.verifying.question import Report

HOMES = {
    "Artifacts": "translator.store",
    "Look": "translator.explanations.whole",
    "Report": "translator.verifying.question",
    "Search": "translator.explanations.explaining",
    "Settings": "translator.pipeline",
    "Translation": "translator.pipeline",
    "explain": "translator.explanations.whole",
    "load": "translator.store",
    "translate": "translator.pipeline",
    "verify": "translator.verification",
}

__all__ = [
    "Artifacts",
    "Look",
    "Report",
    "Search",
    "Settings",
    "Translation",
    "explain",
    "load",
    "translate",
    "verify",
]


def __getattr__(name: str) -> Any:
    """Import a name of the front when it is asked for."""
    if name not in HOMES:
        raise AttributeError(f"module 'translator' has no attribute '{name}'")
    return getattr(import_module(HOMES[name]), name)
