"""Transformer Programs: both spellings are read, decide as the program, and the program is read back from them."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from circuits.diagnostics import FomError
from circuits.words import all_words
from examples.train.transformer_program import LearnedProgram, Spelling, framed, histogram, reverse, to_onnx
from logic.comparing.methods import seconds
from logic.comparing.problem import decided_by
from logic.searching.hard_programs import Attend, HardProgram, Lookup, Scores, closest, visible
from logic.searching.hard_search import Variables, partition
from logic.telling import silent
from tests.translator.learned_programs import random_program
from translator.commands.explain import is_known
from translator.explanations.explaining import Search
from translator.explanations.transformer_programs import blocks, is_hard, read_back
from translator.explanations.whole import Look, explain
from translator.pipeline import Translation, translate
from translator.reading import read
from translator.real_evaluate import outputs

SPELLINGS: tuple[Spelling, ...] = ("onehot", "indices")


def save(program: LearnedProgram, spelling: Spelling, folder: Path) -> Path:
    path = folder / f"{program.name}_{spelling}.onnx"
    onnx.save(to_onnx(program, spelling), path)
    return path


def words_of(program: LearnedProgram) -> list[np.ndarray[Any, Any]]:
    letters = len(program.letters)
    return [np.concatenate(list(all_words(letters, n))) for n in range(1, program.longest + 1)]


def logits(program: LearnedProgram, words: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return np.array([program.answers(word)[1] for word in words.tolist()])


def python_program(source: str) -> Callable[[list[str]], list[int]]:
    scope: dict[str, Any] = {}
    exec(source, scope)
    found: Callable[[list[str]], list[int]] = scope["program"]
    return found


def same_everywhere(found: HardProgram, made: Translation) -> bool:
    """Whether program, its Python text and the network agree on all words of up to four letters."""
    letters = made.network.alphabet
    run = python_program(found.python)
    for n in range(1, min(4, made.network.domain.most or 4) + 1):
        words = np.concatenate(list(all_words(len(letters), n)))
        answers = np.asarray(decided_by(made.network, words))
        if not (found.run(words) == answers).all():
            return False
        some = slice(None, None, max(1, len(words) // 40))
        for word, answer in zip(words[some], answers[some], strict=True):
            if run([letters[letter] for letter in word]) != answer.tolist():
                return False
    return True


@settings(max_examples=4)
@given(st.integers(0, 10**6), st.booleans(), st.sampled_from(SPELLINGS))
def test_the_reader_computes_random_programs(
    tmp_path_factory: Any, seed: int, causal: bool, spelling: Spelling
) -> None:
    program = random_program(seed, layers=1, causal=causal)
    path = save(program, spelling, tmp_path_factory.mktemp("random"))
    real = read(path)
    session = onnxruntime.InferenceSession(str(path))
    for words in words_of(program):
        expected = logits(program, words)
        np.testing.assert_allclose(session.run(None, {"tokens": words})[0], expected, atol=1e-4)
        np.testing.assert_allclose(outputs(real, words), expected, atol=1e-4)


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("build", [histogram, reverse])
def test_written_programs_are_what_they_are_called(build: Callable[[], LearnedProgram], spelling: Spelling) -> None:
    program = build()
    session = onnxruntime.InferenceSession(to_onnx(program, spelling).SerializeToString())
    for word in framed(program)[::7]:
        named = [program.letters[letter] for letter in word]
        (found,) = session.run(None, {"tokens": np.array([word])})
        answers = [program.classes[number] for number in found[0].argmax(axis=-1)]
        expected = (
            named[::-1] if build is reverse else [str(min(named.count(one), program.longest - 1)) for one in named]
        )
        assert answers == expected


@pytest.mark.parametrize(("causal", "spelling"), [(False, "indices"), (True, "onehot")])
def test_a_random_program_is_translated_and_read_back(causal: bool, spelling: Spelling, tmp_path: Path) -> None:
    program = random_program(11 + causal, layers=1, causal=causal, longest=3)
    made = translate(save(program, spelling, tmp_path), precision="fixed:*.12")
    assert made.fidelity.complete, made.fidelity.example
    for words in words_of(program):
        assert (np.asarray(decided_by(made.network, words)) == logits(program, words).argmax(axis=-1)).all()
    assert is_hard(made.network)
    found = read_back(made.network, seconds(60))
    assert found.program is not None, found.missing
    assert found.words.scope == "all words of length 1 to 3"
    assert same_everywhere(found.program, made)


class TestWritten:
    def test_histogram(self, tmp_path: Path) -> None:
        made = translate(save(histogram("ab", 5), "onehot", tmp_path), precision="fixed:*.4")
        found = explain(made, Search(), silent, Look(inside=False))
        assert found.rasp == (
            "count_1 = total(tokens, tokens, {'a': 'a', 'b': 'b', 'c': 'c'}, ones)\n"
            "output = {1: 0, 2: 1, 3: 2, 4: 3, 5: 3}[count_1]\n"
        )
        assert found.program_scope == "all words of length 1 to 5"
        assert not found.explained
        assert ("answer", "depends on 1 of 1 heads found", found.program_scope) in found.inside

    def test_reverse_where_the_word_has_its_frame(self, tmp_path: Path) -> None:
        made = translate(save(reverse("ab", 5), "onehot", tmp_path), precision="fixed:*.4")
        framed_ = "a(1) & d(n) & forall x. (a(x) -> x = 1) & (d(x) -> x = n)"
        found = read_back(made.network, seconds(60), framed_)
        program = found.program
        assert program is not None
        last = program.steps[-1]
        assert isinstance(last, Attend)
        assert (last.value, last.sums) == ("tokens", False)
        assert found.words.scope == "all words of length 2 to 5 in the domain of --where"
        for word in product("bc", repeat=3):
            named = ["a", *word, "d"]
            answers = python_program(program.python)(named)
            assert ["abcd"[number] for number in answers] == named[::-1]

    def test_sentences_are_found_when_a_class_is_asked_for(self, tmp_path: Path) -> None:
        made = translate(save(histogram("a", 3), "onehot", tmp_path), precision="fixed:*.4")
        found = explain(
            made, Search(search_length=3, max_length=3, classes=(0,), timeout_s=10), silent, Look(inside=False)
        )
        assert [one.name for one in found.explained] == ["class[0]"]


class TestParts:
    def test_closest_is_that_of_the_programs(self) -> None:
        rng = np.random.default_rng(2)
        for causal in (False, True):
            for _ in range(60):
                n = int(rng.integers(1, 7))
                matches = rng.random((n, n)) < 0.5
                matches &= visible(n, causal=causal)
                found = closest(matches)
                for x in range(n):
                    own = [y for y in range(n) if matches[x, y]]
                    cost = {y: len(own) if y == x else abs(x - y) for y in own}
                    assert found[x] == (min(own, key=lambda y: cost[y]) if any(own) else 0)

    def test_idle_parts_are_dropped(self) -> None:
        words = [np.concatenate(list(all_words(2, n))) for n in (1, 2, 3)]
        variables = Variables(words, causal=False)
        tokens = variables.values["tokens"]
        noise = 0.001 * variables.values["indices"]
        scores = np.stack([1.0 - tokens + noise, tokens - noise], axis=1)
        from logic.searching.hard_scores import find_scores

        found = find_scores(variables, ["tokens", "indices"], scores, scores.argmax(axis=1))
        assert isinstance(found, Scores)
        assert found.reads == ("tokens",)

    def test_scores_that_are_no_sum_are_refused(self) -> None:
        words = [np.concatenate(list(all_words(2, 4)))]
        variables = Variables(words, causal=False)
        scores = np.random.default_rng(0).normal(size=(words[0].size, 2))
        from logic.searching.hard_scores import find_scores

        assert find_scores(variables, ["tokens", "indices"], scores, scores.argmax(axis=1)) is None

    def test_blocks_of_one_hot_columns_and_numbers(self) -> None:
        rng = np.random.default_rng(1)
        first, second, number = rng.integers(0, 3, 50), rng.integers(0, 4, 50), rng.integers(0, 9, 50)
        columns = np.concatenate([np.eye(3, dtype=int)[first], np.eye(4, dtype=int)[second], number[:, None]], axis=1)
        found = list(blocks(columns))
        assert [partition(one) for one in found] == [partition(one) for one in (first, second, number)]

    def test_a_value_that_a_table_lacks(self) -> None:
        table = Lookup("output", ("tokens",), (((0,), 1),))
        program = HardProgram(("a", "b"), (), table, False)
        assert program.run(np.array([[0, 0]])).tolist() == [[1, 1]]
        assert program.run(np.array([[0, 1]]), missing=-1).tolist() == [[1, -1]]
        with pytest.raises(FomError, match="L097"):
            program.run(np.array([[0, 1]]))

    def test_what_was_compared_on_random_words_only_is_not_verified(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        made = translate(save(histogram(longest=3), "onehot", tmp_path), precision="fixed:*.12")
        found = explain(made, Search(), silent, Look(inside=False))
        assert found.rasp
        assert is_known(found)
        monkeypatch.setattr("translator.explanations.transformer_programs.MOST_PLACES", 0)
        sampled = explain(made, Search(), silent, Look(inside=False))
        assert sampled.rasp
        assert sampled.program_scope.split()[1:3] == ["random", "words"]
        assert not is_known(sampled)

    def test_a_number_of_two_values_is_summed_and_its_table_copied(self) -> None:
        """A table of a number may tell apart what the number does: both then go by one name."""
        words = [np.concatenate(list(all_words(3, n))) for n in (2, 3, 4)]
        variables = Variables(words, causal=True)
        first = np.concatenate(
            [((batch == 0) & (np.arange(batch.shape[1]) == 0)).cumsum(axis=1).ravel() for batch in words]
        )
        step = Attend("number", "ones", "indices", ((1, 0),), "ones", True)
        variables.steps.append(step)
        variables.add("number", first)
        assert variables.is_sum("number")
        summed = np.concatenate([part.cumsum(axis=1).ravel() for part in variables.batches(variables.values["number"])])
        found = variables.attend("head_2", summed, seconds(20))
        assert found is not None
        assert found[0].sums
        places = variables.places("tokens", 1)
        copied = variables.values["number"][places] * 3  # as a block of one-hot columns 0 and 3
        found = variables.attend("head_3", copied, seconds(20))
        assert found is not None
        assert (found[0].sums, found[0].value) == (False, "number")
        assert (found[1] == variables.values["number"][places]).all()

    def test_a_predicate_that_nothing_matches(self) -> None:
        head = Attend("head_1", "tokens", "tokens", ((0, None), (1, 1)), "indices", False)
        program = HardProgram(
            ("a", "b"), (head,), Lookup("output", ("head_1",), (((0,), 0), ((1,), 1), ((2,), 2))), False
        )
        word = np.array([[0, 0, 1]])
        assert program.run(word).tolist() == [[0, 0, 2]]
        assert python_program(program.python)(["a", "a", "b"]) == [0, 0, 2]
