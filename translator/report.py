"""What a translation is, as data: the object of `fom translate --json`, the manifest of a folder, and the summary in words."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from circuits.family import Family
from circuits.network import Exact, Letters, Maximum, Network, Predicates
from circuits.sizes import Polynomial
from logic.syntax import Call, Sentence
from translator.terminal import Row, round_up, unbroken

if TYPE_CHECKING:
    from logic.measure import Measures
    from translator.pipeline import Translation
    from translator.pure_dialect import PureSentence
    from translator.simplified import SimplifiedSentence

LENGTHS = (8, 64)
MOST_LETTERS = 12
MOST_DIGITS = 7


def facts_of(translation: Translation) -> dict[str, Any]:
    """Everything worth saying about a translation, ready for JSON."""
    precision, fidelity = translation.precision, translation.fidelity
    return {
        "schema": 1,
        "model": str(translation.model),
        "precision": str(precision),
        "weight_bits": precision.weights_text,
        "tested": translation.settings.precision == "auto",
        "input": input_facts(translation.network),
        "readout": readout_facts(translation.family, translation.sentence),
        "alphabet": list(translation.network.alphabet),
        "domain": domain_facts(translation.network),
        "network": network_facts(translation.network),
        "family": family_facts(translation.family, translation.sizes),
        "sentence": sentence_facts(translation.measures),
        "pure": None if translation.pure is None else pure_facts(translation.pure),
        "simplified": None if translation.simplified is None else simplified_facts(translation.simplified),
        "fidelity": {
            "inputs": fidelity.inputs,
            "agree": fidelity.agree,
            "max_abs_error": fidelity.max_abs_error,
            "description": fidelity.description,
            "example": fidelity.example,
            "differing_examined": len(fidelity.differing),
            "ties": fidelity.ties,
            "examined": fidelity.examined,
            "certified": fidelity.certified,
            "error_bound": fidelity.error_bound if math.isfinite(fidelity.error_bound) else None,
        },
        "tried": [
            {
                "precision": str(tried),
                "agree": None if found is None else found.agree,
                "inputs": None if found is None else found.inputs,
            }
            for tried, found in translation.tried
        ],
        "notes": list(translation.notes),
        "seconds": dict(translation.seconds),
    }


def manifest_of(translation: Translation) -> dict[str, Any]:
    """What the folder says about itself: the facts, the settings, and the versions of the tools that took part."""
    import sys
    from dataclasses import asdict
    from importlib.metadata import version

    from translator.store import tool_version

    settings: dict[str, Any] = {
        key: value if value is None else str(value) for key, value in asdict(translation.settings).items()
    }
    settings["bind"] = {
        name: value if isinstance(value, str) else np.asarray(value).tolist()
        for name, value in translation.settings.bind.items()
    }
    settings["tracks"] = dict(translation.settings.tracks)
    versions = {name: version(name) for name in ("numpy", "scipy", "onnx", "onnxruntime")}
    python = ".".join(map(str, sys.version_info[:3]))
    return {
        **facts_of(translation),
        "applied": translation.applied,
        "feeding": translation.feeding.to_data(),
        "settings": settings,
        "versions": {"fom": tool_version(), "python": python, **versions},
    }


def input_facts(network: Network) -> dict[str, Any]:
    """What the network reads."""
    if not network.inputs:
        return {"kind": "word", "size": len(network.alphabet)}
    formats = dict.fromkeys(str(node.format) for node in network.inputs)
    return {"kind": "numbers", "size": sum(node.size for node in network.inputs), "format": "; ".join(formats)}


def readout_facts(family: Family, sentence: Sentence) -> dict[str, Any]:
    """What the network answers, and which bit of the answer the last formula is."""
    from logic.family_to_sentence import decision_labels

    readout = family.readout
    named = sentence.formula.name if isinstance(sentence.formula, Call) else None
    labels = decision_labels(family)
    decides = None
    if named in labels:
        place = labels.index(named)
        decides = f"{'class' if readout.kind == 'classes' else 'bit'}:{place}"
    return {
        "kind": readout.kind,
        "classes": readout.n_classes,
        "positions": readout.n_positions,
        "decides": decides,
        "formula": named,
    }


def domain_facts(network: Network) -> dict[str, Any]:
    """The lengths the network accepts."""
    domain = network.domain
    return {"least": domain.least, "most": domain.most, "reason": domain.reason}


def network_facts(network: Network) -> dict[str, Any]:
    """Sizes of the network: a word is one number at each tuple of positions, a rounding point a node that rounds."""
    words = [node for node in network.nodes if not isinstance(node, Exact)]
    rounded = [node for node in words if not isinstance(node, Letters | Predicates | Maximum)]
    return {
        "nodes": len(network.nodes),
        "words": sum(node.size for node in words),
        "roundings": len(rounded),
    }


def family_facts(family: Family, sizes: Mapping[str, Polynomial | None]) -> dict[str, Any]:
    """Sizes of the family, as polynomials and at some lengths."""
    return {
        "templates": len(family.templates),
        "gates": size_facts(family, sizes["gates"], family.gates),
        "wires": size_facts(family, sizes["wires"], family.wires),
        "depth": family.depth,
        "choice": family.depth_choice,
    }


def size_facts(family: Family, polynomial: Polynomial | None, count: Callable[[int], int]) -> dict[str, Any]:
    """One size: the polynomial as text, None where there is none, and its values."""
    values = {str(n): int(polynomial(n)) if polynomial is not None else count(n) for n in sample_lengths(family)}
    return {"polynomial": None if polynomial is None else str(polynomial), "at": values}


def sample_lengths(family: Family) -> list[int]:
    """The lengths at which sizes are given: 8 and 64, or the ends of a narrower domain."""
    domain = family.domain
    if family.inputs:
        return [1]
    least, most = domain.least, domain.most
    return sorted({max(least, n if most is None else min(n, most)) for n in LENGTHS})


def sentence_facts(found: Measures) -> dict[str, Any]:
    """Sizes and ranks of the sentence."""
    return {
        "definitions": found.definitions,
        "nodes": found.nodes,
        "quantifier_rank": found.quantifier_rank,
        "majority_rank": found.majority_rank,
        "unfolded_nodes": magnitude(found.unfolded_nodes),
    }


def pure_facts(pure: PureSentence) -> dict[str, Any]:
    """Sizes and ranks of the sentence in pure FO(M), and on how many inputs it was compared with the other one."""
    compared = {"compared": pure.compared, "longest": pure.longest}
    return {"dialect": pure.dialect, **sentence_facts(pure.measures), **compared}


def simplified_facts(found: SimplifiedSentence) -> dict[str, Any]:
    """Sizes of the simplified sentence, the laws used, and whether the equality was proved."""
    return {
        **sentence_facts(found.measures),
        "laws": dict(found.laws),
        "proved": found.proved,
        "open": list(found.open),
    }


def magnitude(number: int) -> str:
    """Write a natural number that may have thousands of digits: in full when short, else like 1.2e34."""
    if number < 10**MOST_DIGITS:
        return f"{number:,}"
    logarithm = math.log10(number)
    exponent = math.floor(logarithm)
    mantissa = f"{10 ** (logarithm - exponent):.1f}"
    return f"1.0e{exponent + 1}" if mantissa == "10.0" else f"{mantissa}e{exponent}"


def summary(facts: dict[str, Any]) -> list[Row]:
    """A translation in words, from its facts."""
    rows: list[Row] = [("model", facts["model"]), ("input", input_text(facts))]
    if facts["input"]["kind"] == "word":
        rows.append(("lengths", domain_text(facts["domain"])))
    rows += [
        ("precision", precision_text(facts)),
        ("fidelity", fidelity_text(facts["fidelity"])),
        ("certified", certified_text(facts["fidelity"])),
        ("network", network_text(facts["network"])),
        ("family", family_text(facts)),
        ("sentence", sentence_text(facts)),
        *([("pure", pure_text(facts["pure"]))] if facts["pure"] else []),
        *([("simplified", simplified_text(facts["simplified"]))] if facts["simplified"] else []),
    ]
    rows += [("note", note) for note in facts["notes"]]
    return rows


def input_text(facts: dict[str, Any]) -> str:
    """What is read and what is answered."""
    given, readout = facts["input"], facts["readout"]
    if given["kind"] == "numbers":
        read = f"{given['size']:,} numbers of {given['format']}"
    else:
        read = f"words over {letters_text(facts['alphabet'])}"
    answers = {
        "classes": f"one of {readout['classes']} classes",
        "logit": "yes or no, by the sign of a logit",
        "value": "a number",
    }
    return f"{read}; the answer is {answers[readout['kind']]}" + (" at every position" if readout["positions"] else "")


def letters_text(alphabet: list[str]) -> str:
    """The letters, or the first ones of many."""
    if len(alphabet) <= MOST_LETTERS:
        return " ".join(alphabet)
    return f"{len(alphabet):,} letters {' '.join(alphabet[:3])} ... {alphabet[-1]}"


def domain_text(domain: dict[str, Any]) -> str:
    """The lengths accepted, and why."""
    least, most, reason = domain["least"], domain["most"], domain["reason"]
    span = f"n = {least}" if least == most else f"every n >= {least}" if most is None else f"{least} <= n <= {most}"
    return f"{span}: {reason}" if reason else span


def precision_text(facts: dict[str, Any]) -> str:
    """The precision and how it was chosen."""
    bits = facts["weight_bits"]
    weights = f"{bits} weights" if isinstance(bits, str) else f"weights of {bits} bits"
    text = f"{facts['precision']}, {weights}"
    if not facts["tested"]:
        return f"{text}; as given"
    text += "; tested, not certified"
    tried = [
        unbroken(
            f"{one['precision']} (no format fits)"
            if one["agree"] is None
            else f"{one['precision']} {one['agree']:,}/{one['inputs']:,}"
        )
        for one in facts["tried"]
    ]
    return f"{text}\ntried {', '.join(tried)}"


def fidelity_text(fidelity: dict[str, Any]) -> str:
    """How far the decisions agree with the float network's."""
    text = (
        f"{fidelity['agree']:,} of {fidelity['inputs']:,} decisions agree with onnxruntime: {fidelity['description']}"
    )
    if fidelity["max_abs_error"] is None:
        text += "\nlogits are not compared: the file does not give them"
    else:
        text += f"\nlogits differ by at most {fidelity['max_abs_error']:.3g}"
    if fidelity["example"] is not None:
        text += f"\nit disagrees on: {fidelity['example']}"
    if fidelity.get("ties"):
        text += (
            f"\non {fidelity['ties']:,} of {fidelity['differing_examined']:,} such inputs the rounding of floats decides in the"
            " file, not exact real arithmetic: no precision reproduces that"
        )
    return text


def certified_text(fidelity: dict[str, Any]) -> str:
    """How many decisions are proved to be those of exact real arithmetic, and the largest error bound."""
    examined, bound = fidelity["examined"], fidelity["error_bound"]
    sample = "" if examined == fidelity["inputs"] else f" on a sample of {examined:,} inputs"
    text = f"{fidelity['certified']:,} of {examined:,} decisions are those of exact real arithmetic, proved{sample}"
    if bound is None:
        return f"{text}\nsome outputs have no error bound"
    return f"{text}\noutputs are off by at most {round_up(bound)} there"


def network_text(network: dict[str, Any]) -> str:
    """The network's sizes."""
    return f"{network['nodes']:,} nodes, {network['words']:,} words, {network['roundings']:,} rounding points"


def family_text(facts: dict[str, Any]) -> str:
    """The family's sizes."""
    family = facts["family"]
    same = "" if facts["input"]["kind"] == "numbers" else ", the same for every n"
    lines = [f"{family['templates']:,} templates, depth {family['depth']}{same}"]
    lines += [f"{kind} {size_text(family[kind], facts['input']['kind'] == 'numbers')}" for kind in ("gates", "wires")]
    return "\n".join(lines)


def size_text(size: dict[str, Any], static: bool) -> str:
    """A size as a polynomial with its values."""
    values = [unbroken(f"{value:,} at n = {n}") for n, value in size["at"].items()]
    if static:
        return f"{next(iter(size['at'].values())):,}"
    if size["polynomial"] is None:
        return f"{', '.join(values)} (no polynomial in n)"
    return f"{size['polynomial']}: {', '.join(values)}"


def pure_text(pure: dict[str, Any]) -> str:
    """Sizes of the sentence in pure FO(M), and what it was compared on."""
    scope = f"to length {pure['longest']}" if pure["compared"] else ""
    return (
        f"{pure['dialect']} dialect: {pure['definitions']:,} definitions, {pure['nodes']:,} nodes "
        f"({pure['unfolded_nodes']} unfolded)\nquantifier rank {pure['quantifier_rank']}, majority rank "
        f"{pure['majority_rank']}; equal on the {pure['compared']:,} inputs compared, up {scope}"
    )


def simplified_text(found: dict[str, Any]) -> str:
    """Sizes of the simplified sentence, and what is known of it."""
    proved = "proved equal" if found["proved"] else f"not proved equal: {len(found['open'])} obligations are open"
    times = sum(found["laws"].values())
    return f"{found['definitions']:,} definitions, {found['nodes']:,} nodes; {times:,} rewritings, {proved}"


def sentence_text(facts: dict[str, Any]) -> str:
    """The sentence's sizes and what it decides."""
    sentence, readout = facts["sentence"], facts["readout"]
    text = (
        f"{sentence['definitions']:,} definitions, {sentence['nodes']:,} nodes ({sentence['unfolded_nodes']} unfolded)"
    )
    text += f"\nquantifier rank {sentence['quantifier_rank']}, majority rank {sentence['majority_rank']}"
    if readout["formula"] is not None:
        where = " at position x" if readout["positions"] else ""
        text += f"\ndecides `{readout['formula']}`{where} ({readout['decides'].replace(':', ' ')})"
    return text


def time_text(seconds: dict[str, float]) -> str:
    """The total, and the stages that took a noticeable part of it."""
    total = sum(seconds.values())
    parts = ", ".join(unbroken(f"{name} {value:.2f}") for name, value in seconds.items() if value >= 0.005)
    return f"{total:.2f} s: {parts}" if parts else f"{total:.2f} s"


def translation_html(translation: Translation) -> str:
    """A card for notebooks; see `translator.html`."""
    from translator.html import card

    return card(translation)
