"""The statements that a replay relies on, as whole files: Coq lemmas with their proofs, and SMT-LIB scripts.

The texts are written here, by the checker, from the parameters that it needs: a file of a certificate counts only if it is this
text, byte for byte. Rounding is stated as `circuits.formats` defines it: with q the quotient rounded down and r twice the rest,
the result is q + 1 if r exceeds the divisor, or equals it and q is odd, and q otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import assert_never

from circuits.network import Domain
from circuits.positions import All, Any_, AtLeast, Bit, Congruent, Equals, Guard, Not, Term
from logic.checker.record import Rejected

WORDS = "words.v"

COQ_HEADER = "Require Import ZArith Lia.\nOpen Scope Z_scope.\n\n"

COQ_WORDS = """Theorem saturation : forall r c lo hi : Z, lo < c -> c <= hi ->
  (c <= Z.min (Z.max r lo) hi <-> c <= r).
Proof. lia. Qed.
Theorem digit : forall h m p u : Z, 0 < p -> (h + m * p <= u <-> m <= (u - h) / p).
Proof.
  intros h m p u H. split; intro K.
  - apply Z.div_le_lower_bound; lia.
  - assert (D := Z.mul_div_le (u - h) p H). nia.
Qed.
Theorem parity : forall b g : Z, (b + 2 * g) mod 2 = b mod 2.
Proof. intros b g. rewrite (Z.mul_comm 2 g). apply Z.mod_add. lia. Qed.
Theorem monotone : forall u v p : Z, 0 < p -> u <= v -> u / p <= v / p.
Proof. intros u v p H K. apply Z.div_le_mono; assumption. Qed.
Theorem conjunction : forall a b : Z, 0 <= a <= 1 -> 0 <= b <= 1 -> (2 <= a + b <-> a * b = 1).
Proof. intros a b A B. split; intro K; nia. Qed.
Theorem distribution : forall b w u rest : Z, b * (w * u + rest) = w * (b * u) + b * rest.
Proof. intros. ring. Qed.
"""

COQ_ROUNDED = r"""Definition rounded (num den : Z) : Z :=
  let q := num / den in let r := 2 * (num - q * den) in
  if ((den <? r) || ((r =? den) && Z.odd q))%bool then q + 1 else q.

Lemma law_of_ratio : forall M D c : Z, 1 <= D ->
  (c <= rounded M D <-> c mod 2 <= 2 * M - (2 * c - 1) * D).
Proof.
  intros M D c HD. unfold rounded.
  assert (Hq := Z.div_mod M D ltac:(lia)). assert (Hr := Z.mod_pos_bound M D ltac:(lia)).
  set (q := M / D) in *. set (r := M mod D) in *. clearbody q r.
  replace (2 * (M - q * D)) with (2 * r) by lia.
  replace (2 * M - (2 * c - 1) * D) with (2 * r + D + 2 * ((q - c) * D)) by (rewrite Hq; ring).
  assert (Hc := Z.div_mod c 2 ltac:(lia)). assert (Hp := Z.mod_pos_bound c 2 ltac:(lia)).
  set (e := c / 2) in *. set (p := c mod 2) in *. clearbody e p.
  assert (Ho : (Z.odd q = true /\ exists h, q = 2 * h + 1) \/ (Z.odd q = false /\ exists h, q = 2 * h)).
  { destruct (Z.odd q) eqn:E; [left | right]; split; auto.
    - apply Z.odd_spec in E. exact E.
    - assert (Ev : Z.even q = true) by (rewrite <- Z.negb_odd, E; reflexivity). apply Z.even_spec in Ev. exact Ev. }
  assert (Hk : q - c <= -2 /\ (q - c) * D <= -2 * D \/ q - c = -1 /\ (q - c) * D = - D \/ 0 <= q - c /\ 0 <= (q - c) * D).
  { destruct (Z.lt_trichotomy (q - c) (-1)) as [Hl | [Hl | Hl]].
    - left. split; [lia | apply Z.mul_le_mono_nonneg_r; lia].
    - right. left. rewrite Hl. lia.
    - right. right. split; [lia | apply Z.mul_nonneg_nonneg; lia]. }
  set (k := (q - c) * D) in *. clearbody k.
  destruct Ho as [[Ho [h Hh]] | [Ho [h Hh]]]; rewrite Ho;
  destruct (Z.ltb_spec D (2 * r)); destruct (Z.eqb_spec (2 * r) D); cbn [orb andb]; lia.
Qed.
"""


def words_lemmas() -> str:
    """The lemmas that hold for all words: saturation, digits, parity, monotonicity, ANDs, a bit times a sum."""
    return COQ_HEADER + COQ_WORDS


@dataclass(frozen=True, slots=True)
class Law:
    """``round(up * N / (down * D)) >= c`` iff ``scale * N - (slope * c + const) * D >= odd * (c mod 2)``, D = 1 if no `ratio`."""

    up: int
    down: int
    ratio: bool
    scale: int
    slope: int
    const: int
    odd: int

    def coq_name(self) -> str:
        """The name of its Coq file."""
        return f"{'quotient' if self.ratio else 'rounding'}_{self.up}_{self.down}.v"

    def coq(self) -> str:
        """The law for all integers, as a Coq file."""
        line = f"({self.slope} * c + ({self.const}))"
        if self.ratio:
            given, den, line = "N D c : Z, 1 <= D ->", f"({self.down} * D)", f"{line} * D"
            exact = f"2 * ({self.up} * N) - (2 * c - 1) * {den}"
            proof = "  intros N D c H. rewrite law_of_ratio by lia.\n"
            proof += f"  replace ({self.scale} * N - {line}) with ({exact}) by ring.\n"
        else:
            given, den, proof = "N c : Z,", str(self.down), "  intros N c. rewrite law_of_ratio by lia.\n"
        return (
            f"{COQ_HEADER}{COQ_ROUNDED}\nTheorem law : forall {given}\n  (c <= rounded ({self.up} * N) {den} <-> "
            f"{self.odd} * (c mod 2) <= {self.scale} * N - {line}).\nProof.\n{proof}"
            "  assert (P := Z.mod_pos_bound c 2 ltac:(lia)). lia.\nQed.\n"
        )

    def smt(self) -> str:
        """The law as an SMT-LIB script, unsatisfiable if it holds; of a ratio, for every real x = N / D."""
        up, down, scale = number(self.up), number(self.down), number(self.scale)
        line = f"(+ (* {number(self.slope)} c) {number(self.const)})"
        parity = "(= (mod q 2) 1)"
        if not self.ratio:
            return script(
                "QF_LIA",
                "(declare-const N Int)",
                "(declare-const c Int)",
                f"(define-fun q () Int (div (* {up} N) {down}))",
                f"(define-fun r () Int (* 2 (- (* {up} N) (* q {down}))))",
                f"(define-fun rounded () Int (ite (or (> r {down}) (and (= r {down}) {parity})) (+ q 1) q))",
                f"(define-fun side () Bool (>= (- (* {scale} N) {line}) (* {self.odd} (mod c 2))))",
                "(assert (not (= (>= rounded c) side)))",
            )
        return script(
            "QF_LIRA",
            "(declare-const x Real)",
            "(declare-const c Int)",
            f"(define-fun v () Real (/ (* {self.up}.0 x) {self.down}.0))",
            "(define-fun q () Int (to_int v))",
            "(define-fun r () Real (* 2.0 (- v (to_real q))))",
            f"(define-fun rounded () Int (ite (or (> r 1.0) (and (= r 1.0) {parity})) (+ q 1) q))",
            f"(define-fun left () Real (- (* {self.scale}.0 x) (to_real {line})))",
            "(assert (not (= (>= rounded c) (or (> left 0.0) (and (= left 0.0) (= (mod c 2) 0))))))",
        )


def rounding_law(shift: int) -> Law:
    """The law that rounding to ``S / 2**shift`` relies on."""
    if shift <= 0:
        return Law(1 << -shift, 1, ratio=False, scale=1 << -shift, slope=1, const=0, odd=0)
    return Law(1, 1 << shift, ratio=False, scale=1, slope=1 << shift, const=-(1 << shift - 1), odd=1)


def quotient_law(shift: int) -> Law:
    """The law that rounding ``N * 2**shift / D`` relies on."""
    up, down = 1 << max(shift, 0), 1 << max(-shift, 0)
    return Law(up, down, ratio=True, scale=2 * up, slope=2 * down, const=-down, odd=1)


def script(logic: str, *lines: str) -> str:
    """A whole SMT-LIB script."""
    return "\n".join((f"(set-logic {logic})", *lines, "(check-sat)", ""))


def number(value: int) -> str:
    """An integer in SMT-LIB."""
    return str(value) if value >= 0 else f"(- {-value})"


def table_integers(breaks: Sequence[int], offsets: Sequence[int], bits: Sequence[tuple[Sequence[int], int]]) -> str:
    """The gates of a table give its offsets, for every integer S; a bit is the weights of the comparisons and a threshold."""
    lines = ["(declare-const S Int)"]
    lines += [f"(define-fun t{j} () Bool (>= S {number(value)}))" for j, value in enumerate(breaks)]
    for k, (weights, threshold) in enumerate(bits):
        terms = " ".join(f"(ite t{j} {number(weight)} 0)" for j, weight in enumerate(weights) if weight)
        lines.append(f"(define-fun b{k} () Bool (>= (+ 0 0 {terms}) {number(threshold)}))")
    lines.append(f"(assert (not {cases(breaks, offsets, len(bits), lambda value: f'(>= S {number(value)})')}))")
    return script("QF_LIA", *lines)


def table_words(breaks: Sequence[int], offsets: Sequence[int], bits: Sequence[tuple[Sequence[int], int]]) -> str:
    """The same for every S of 64 bits, in 64-bit words."""
    lines = ["(declare-const S (_ BitVec 64))"]
    lines += [f"(define-fun t{j} () Bool (bvsge S {word(value)}))" for j, value in enumerate(breaks)]
    for k, (weights, threshold) in enumerate(bits):
        total = word(0)
        for j, weight in enumerate(weights):
            if weight:
                total = f"(bvadd {total} (ite t{j} {word(weight)} {word(0)}))"
        lines.append(f"(define-fun b{k} () Bool (bvsge {total} {word(threshold)}))")
    lines.append(f"(assert (not {cases(breaks, offsets, len(bits), lambda value: f'(bvsge S {word(value)})')}))")
    return script("QF_BV", *lines)


def word(value: int) -> str:
    """An integer as a word of 64 bits."""
    return f"(_ bv{value % (1 << 64)} 64)"


def cases(breaks: Sequence[int], offsets: Sequence[int], bits: int, reached: Callable[[int], str]) -> str:
    """Between any two breaks the bits spell the offset."""
    found = []
    for place, offset in enumerate(offsets):
        low = reached(breaks[place - 1]) if place else "true"
        high = f"(not {reached(breaks[place])})" if place < len(breaks) else "true"
        spelled = " ".join(f"b{k}" if offset >> k & 1 else f"(not b{k})" for k in range(bits))
        found.append(f"(=> (and {low} {high}) (and true {spelled}))")
    return f"(and true {' '.join(found)})"


def somewhere(domain: Domain, k: int, guards: Sequence[Guard]) -> str:
    """At all k positions and every length of the domain one of some guards holds."""
    lines = ["(declare-const n Int)", f"(assert (>= n {domain.least}))"]
    if domain.most is not None:
        lines.append(f"(assert (<= n {domain.most}))")
    for v in range(k):
        lines += [f"(declare-const x{v} Int)", f"(assert (<= 1 x{v} n))"]
    lines.append(f"(assert (not (or false {' '.join(map(guard_text, guards))})))")
    return script("QF_LIA", *lines)


def term_text(term: Term) -> str:
    """An index term."""
    parts = " ".join(f"(* {number(coef)} x{v})" for v, coef in term.coefs)
    return f"(+ {parts} (* {number(term.n_coef)} n) {number(term.const)})"


def guard_text(guard: Guard) -> str:
    """A guard; of a bit of a position nothing is claimed.

    Raises:
        Rejected: it has one.
    """
    match guard:
        case AtLeast(term):
            return f"(>= {term_text(term)} 0)"
        case Equals(term):
            return f"(= {term_text(term)} 0)"
        case Congruent(term, modulus):
            return f"(= (mod {term_text(term)} {modulus}) 0)"
        case Not(part):
            return f"(not {guard_text(part)})"
        case All(parts):
            return f"(and true {' '.join(map(guard_text, parts))})"
        case Any_(parts):
            return f"(or false {' '.join(map(guard_text, parts))})"
        case Bit():
            raise Rejected("", "a guard with bits of positions is not stated for solvers")
        case _:
            assert_never(guard)
