"""Certificates of translations: which claims of a report are written, and where."""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path

from circuits.diagnostics import fail
from logic.checker.certificate import ARTIFACTS, MAIN, Certificate, Claim
from logic.checker.record import Rejected
from logic.verdicts import Holds
from translator.store import Artifacts
from translator.verifying.question import Report


def write_certificate(report: Report, artifacts: Artifacts, out: Path) -> list[str]:
    """Write what a report says as a certificate, with copies of the artifacts; a certificate at `out` is replaced.

    Returns:
        The claims of the report that hold and are not in the certificate, each with the reason.

    Raises:
        FomError: `out` is something else, nothing of the report can be certified, or a proof has a shape that the checker does
            not replay.
    """
    from logic.certificate.write import composition_claims, exhaustive_claim, write

    if out.exists() and not (out.is_dir() and ((out / MAIN).is_file() or not any(out.iterdir()))):
        raise fail("T051", "the output exists and is no certificate, so it is not replaced", where=str(out))
    if not out.absolute().parent.is_dir():
        raise fail("T051", "the folder that should hold the output does not exist", where=str(out.absolute().parent))
    holds = [claim for claim in report.claims if isinstance(claim.verdict, Holds)]
    composed = [claim for claim in holds if claim.method == "compositional"]
    pairs = {(claim.left, claim.right) for claim in composed}
    both = {("network", "circuit"), ("circuit", "sentence")}
    scopes = {claim.scope for claim in holds if claim.method == "exhaustive" and (claim.left, claim.right) in both}
    counted = [claim for claim in holds if claim.method == "exhaustive" and claim.scope in scopes]
    lengths = lengths_of(counted[0].scope) if {(c.left, c.right) for c in counted} == both else []
    left_out = [
        f"{claim.left} = {claim.right}, {claim.scope}: proved by the method {claim.method}, which has no certificate"
        for claim in holds
        if claim.method not in ("compositional", "exhaustive")
    ]
    left_out += [f"{c.left} = {c.right}, {c.scope}: only some inputs" for c in counted if not lengths]

    def claims(certificate: Certificate) -> list[Claim]:
        found = composition_claims(certificate) if pairs else []
        found = [claim for claim in found if (claim["left"], claim["right"]) in pairs]
        return [*found, *([exhaustive_claim(lengths)] if lengths else [])]

    if not pairs and not lengths:
        raise fail(
            "T091", "nothing in this verification can be certified", note="; ".join(left_out) or "no claim holds",
            help="a certificate is about network = circuit = sentence, by composition or on all inputs",
        )  # fmt: skip
    temporary = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.absolute().parent))
    try:
        contents = {name: (artifacts.folder / name).read_bytes() for name in ARTIFACTS}
        write(temporary, contents, claims)
        temporary.chmod(0o755)
        shutil.rmtree(out, ignore_errors=True)
        temporary.rename(out)
    except Rejected as error:
        raise fail(
            "T091", f"the proof cannot be certified: {error.what}", where=error.where,
            note="the checker replays the constructions that fom builds, and no others",
            help="fom verify without --certificate proves more shapes",
        ) from None  # fmt: skip
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return left_out


def lengths_of(scope: str) -> list[int]:
    """The lengths of an exhaustive claim; none if it speaks of some inputs of a length only."""
    if scope == "every input":
        return [1]
    ends = re.fullmatch(r"n = (\d+)(?:\.\.(\d+))?", scope)
    if ends is None:
        return []
    return list(range(int(ends[1]), int(ends[2] or ends[1]) + 1))
