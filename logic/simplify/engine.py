"""Simplification: laws applied bottom-up on the shared graph until none applies, definition by definition.

Every node is simplified once, after its children; what a law puts in its place is simplified before anything reads it. Each law
leaves fewer nodes, a smaller rank or a form nearer to the normal one, so this ends. A definition is finished before the first
formula that may call it, so one walk in the order of the sentence suffices; where definitions with one reader are put in place,
the walk is repeated, because that leaves others with one reader.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from logic.measure import Measures, measure
from logic.simplify.definitions import EQUAL, ONCE, UNUSED, Twins, is_trivial, needed, used_once
from logic.simplify.laws import LAWS
from logic.simplify.linear import Itemwise
from logic.simplify.ranges import Range, range_of_sum
from logic.simplify.rules import Facts, Law
from logic.simplify.substitution import rebuilt
from logic.syntax import Definition, Formula, Item, Sentence, Sum
from logic.walk import Part, children, postorder

MOST_HEIGHT = 6


@dataclass(frozen=True, slots=True)
class Simplified:
    """A sentence that means the same, and what was done.

    Attributes:
        laws: how often each law was applied, the most frequent first.
        inlined: definitions of which calls were replaced, with what replaced them, in their order; and those that are gone
            but that others were found equal to.
        ranges: of the defined sums, those that no longer exist included.
    """

    sentence: Sentence
    before: Measures
    after: Measures
    laws: dict[str, int]
    inlined: dict[str, Definition]
    ranges: dict[str, Range]


def simplify(
    sentence: Sentence, keep: Collection[str] = (), inline_once: bool = False, laws: Sequence[Law] = LAWS
) -> Simplified:
    """Simplify a checked sentence.

    Args:
        keep: definitions that stay, read or not.
        inline_once: also put the bodies of definitions that are read in one place there.
        laws: the laws to use.
    """
    counts: Counter[str] = Counter()
    inlined: dict[str, Definition] = {}
    ranges: dict[str, Range] = {}
    before, current = measure(sentence), sentence
    while True:
        once = used_once(current) - set(keep) if inline_once else set()
        walk = _Walk(laws, counts, once)
        result = walk.sentence(current, keep)
        inlined.update(walk.facts.inlined)
        ranges.update({name: found for name, found in walk.facts.ranges.items() if name not in ranges})
        changed = (result.definitions, result.formula) != (current.definitions, current.formula)
        current = result
        if not (changed and inline_once):
            break
    order = [definition.name for definition in sentence.definitions]
    ordered = {name: inlined[name] for name in order if name in inlined}
    return Simplified(current, before, measure(current), dict(counts.most_common()), ordered, ranges)


class _Walk:
    """One walk over a sentence."""

    def __init__(self, laws: Sequence[Law], counts: Counter[str], once: Collection[str]) -> None:
        self.by_kind: dict[type, list[Law]] = {}
        for law in laws:
            for kind in () if isinstance(law.rule, Itemwise) else law.kinds:
                self.by_kind.setdefault(kind, []).append(law)
        self.of_items = [law for law in laws if isinstance(law.rule, Itemwise)]
        self.plain: set[Item] = set()
        self.counts, self.once = counts, once
        self.facts = Facts()
        self.done: dict[Part, Part] = {}
        self.next: dict[Part, Part] = {}
        self.heights: dict[Part, int] = {}

    def sentence(self, sentence: Sentence, keep: Collection[str]) -> Sentence:
        """Simplify all definitions and the formula; leave out what nothing reads."""
        twins = Twins()
        made = []
        for definition in sentence.definitions:
            body = self.simplified(definition.body)
            if not isinstance(body, Formula | Sum):
                raise TypeError("a law keeps the kind of a node")
            fresh = Definition(definition.name, definition.params, body, definition.comment)
            if isinstance(body, Sum):
                self.facts.ranges[definition.name] = range_of_sum(body, self.facts.ranges)
            made.append(self.settled(fresh, twins))
        formula = self.simplified(sentence.formula)
        if not isinstance(formula, Formula):
            raise TypeError("a law keeps the kind of a node")
        used = needed(made, formula, keep)
        left = tuple([definition for definition in made if definition.name in used])
        self.counts[UNUSED] += sum(one.name not in used and one.name not in self.facts.inlined for one in made)
        self.counts += Counter()
        # What an alias stood for stays known, although nothing reads it any more.
        gone = {one.name: one for one in made if one.name in twins.targets and one.name not in used}
        self.facts.inlined.update({name: one for name, one in gone.items() if name not in self.facts.inlined})
        return Sentence(sentence.letters, sentence.propositions, left, formula)

    def settled(self, definition: Definition, twins: Twins) -> Definition:
        """Note what calls of a definition become, if anything."""
        inlined = self.facts.inlined
        if is_trivial(definition):
            inlined[definition.name] = definition
            return definition
        alias = twins.alias(definition)
        if alias is not None:
            self.counts[EQUAL] += 1
            inlined[definition.name] = alias
            return alias
        if definition.name in self.once and self.height(definition.body) <= MOST_HEIGHT:
            self.counts[ONCE] += 1
            inlined[definition.name] = definition
        return definition

    def height(self, root: Part) -> int:
        """How deep a body is nested."""
        for node in postorder(root, set(self.heights)) if root not in self.heights else ():
            self.heights[node] = 1 + max((self.heights[child] for child in children(node)), default=0)
        return self.heights[root]

    def simplified(self, root: Part) -> Part:
        """Simplify a node and all below it."""
        done, stack = self.done, [root]
        while stack:
            node = stack[-1]
            if node in done:
                stack.pop()
                continue
            follower = self.next.get(node)
            if follower is None:
                below = children(node)
                pending = [child for child in below if child not in done]
                if pending:
                    stack.extend(reversed(pending))
                    continue
                follower = self.step(node, below)
                if follower is None:
                    done[node] = node
                    continue
                self.next[node] = follower
            if follower in done:
                done[node] = done[follower]
            else:
                stack.append(follower)
        return done[root]

    def step(self, node: Part, below: tuple[Part, ...]) -> Part | None:
        """The next form of a node whose children are simplified; None if it is simple."""
        after = [self.done[child] for child in below]
        if any(new is not old for new, old in zip(after, below, strict=True)):
            return rebuilt(node, after)
        if isinstance(node, Sum) and not self.plain.issuperset(below):
            found = self.applied(self.of_items, node)
            if found is not None:
                return found
            self.plain.update([item for _, item in node.items])
        return self.applied(self.by_kind.get(type(node), ()), node)

    def applied(self, laws: Sequence[Law], node: Part) -> Part | None:
        """What the first law that applies makes of a node."""
        for law in laws:
            result: Part | None = law.rule(node, self.facts)
            if result is not None:
                self.counts[law.name] += 1
                return result
        return None
