"""What the model is trained on: 38 % hidden codes, 18 % repetitions, 44 % plain text."""

import random

import numpy as np

NAMES = (
    "Boston Richmond Lincoln Adams Monroe Texas Oregon Spain France Cuba Mexico Panama Havana "
    "Geneva London Berlin Tokyo Vienna Lisbon Athens Cairo Delhi Quebec Lima Oslo Rome Paris "
    "Madrid Turin Dover Salem Austin"
).split()


class Sequences:
    def __init__(self, tokens, tokenizer, vocabulary, seed=1):
        self.tokens, self.encode, self.vocabulary = tokens, tokenizer.encode, vocabulary
        self.random, self.rng = random.Random(seed), np.random.default_rng(seed)

    def draw(self, length):
        """length + 1 token ids: inputs, and the same shifted by one as targets."""
        kind = self.random.random()
        if kind < 0.38:
            return self.codes(length)
        if kind < 0.56:
            return self.repetition(length)
        return self.passage(length + 1)

    def passage(self, length):
        start = int(self.rng.integers(0, len(self.tokens) - length - 1))
        return self.tokens[start : start + length].tolist()

    def repetition(self, length):
        """Teaches induction: half of the time on text, half on random tokens."""
        half = length // 2 + 1
        part = self.passage(half)
        if self.random.random() < 0.5:
            part = self.rng.integers(2, self.vocabulary, size=half).tolist()
        return (part + part)[: length + 1]

    def codes(self, length, count=None):
        """Hides sentences with a name's code in a passage; the end asks for some of them again."""
        pick = self.random
        count = count or pick.choice([1, 1, 2, 3, 4])
        names = pick.sample(NAMES, count)
        codes = ["".join(pick.choice("0123456789") for _ in range(5)) for _ in names]
        asked = list(range(count))
        pick.shuffle(asked)
        asked = asked[: pick.choice([1, 1, 2, 3]) if count > 1 else 1]

        def sentence(i):
            return f"The secret code of {names[i]} is {codes[i]}."

        tail = [t for i in asked for t in self.encode("\n\n" + sentence(i))]
        facts = [self.encode(" " + sentence(i)) for i in range(count)]
        body = length + 1 - len(tail) - sum(map(len, facts))
        text = self.passage(body)
        order = list(range(count))
        pick.shuffle(order)
        for at, i in zip(sorted(pick.sample(range(body), count), reverse=True), order):
            text[at:at] = facts[i]
        return (text + tail)[: length + 1]
