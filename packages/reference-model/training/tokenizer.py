"""Byte-level BPE as Hugging Face's `tokenizers` has it: training, encoding, tokenizer.json."""

import collections
import json
import re

SPECIALS = ["<s>", "</s>"]
PATTERN = r"'(?:[sdmt]|ll|ve|re)| ?[A-Za-z]+| ?[0-9]| ?[^\sA-Za-z0-9]+|\s+(?!\S)|\s+"


def byte_letters():
    """A printable letter for each byte, as in GPT-2."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [b for b in range(256) if b not in printable]
    letters = {b: chr(b) for b in printable}
    letters.update({b: chr(256 + i) for i, b in enumerate(others)})
    return letters


LETTERS = byte_letters()


def letters_of(word):
    return [LETTERS[b] for b in word.encode()]


class Tokenizer:
    def __init__(self, vocabulary, merges):
        """`vocabulary`: token -> id; `merges`: pairs of tokens, most frequent first."""
        self.vocabulary, self.merges = vocabulary, merges
        self.ranks = {pair: i for i, pair in enumerate(merges)}
        self.words = {}
        self.split = re.compile(PATTERN).findall

    @staticmethod
    def load(path="tokenizer.json"):
        with open(path, encoding="utf8") as f:
            model = json.load(f)["model"]
        return Tokenizer(model["vocab"], [tuple(m.split(" ")) for m in model["merges"]])

    def encode(self, text):
        return [i for word in self.split(text) for i in self.encode_word(word)]

    def encode_word(self, word):
        if word not in self.words:
            self.words[word] = [self.vocabulary[t] for t in self.merge(letters_of(word))]
        return self.words[word]

    def merge(self, tokens):
        while len(tokens) > 1:
            pairs = enumerate(zip(tokens, tokens[1:]))
            rank, i = min((self.ranks.get(pair, 1 << 30), i) for i, pair in pairs)
            if rank == 1 << 30:
                break
            tokens[i : i + 2] = [tokens[i] + tokens[i + 1]]
        return tokens

    def save(self, path="tokenizer.json"):
        special = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False}
        added = [
            {"id": i, "content": token, **special, "special": True}
            for i, token in enumerate(SPECIALS)
        ]
        byte_level = {"type": "ByteLevel", "trim_offsets": True}
        split = {
            "type": "Split",
            "pattern": {"Regex": PATTERN},
            "behavior": "Isolated",
            "invert": False,
        }
        letters = {**byte_level, "add_prefix_space": False, "use_regex": False}
        model = {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": False,
            "vocab": self.vocabulary,
            "merges": [f"{a} {b}" for a, b in self.merges],
        }
        document = {
            "version": "1.0",
            "truncation": None,
            "padding": None,
            "added_tokens": added,
            "normalizer": None,
            "pre_tokenizer": {"type": "Sequence", "pretokenizers": [split, letters]},
            "post_processor": None,
            "decoder": {**byte_level, "add_prefix_space": True, "use_regex": True},
            "model": model,
        }
        with open(path, "w", encoding="utf8") as f:
            json.dump(document, f, ensure_ascii=False)


def train(texts, size):
    """Merges the most frequent pair of tokens until there are `size`; ties go to the greater pair."""
    counts = collections.Counter()
    for text in texts:
        counts.update(re.findall(PATTERN, text))
    counts = {word: n for word, n in counts.items() if n > 1 or len(word) < 4}
    words, frequency = [letters_of(word) for word in counts], list(counts.values())

    pairs, where = collections.Counter(), collections.defaultdict(set)
    for i, word in enumerate(words):
        for pair in zip(word, word[1:]):
            pairs[pair] += frequency[i]
            where[pair].add(i)

    vocabulary, merges = SPECIALS + [LETTERS[b] for b in range(256)], []
    while len(vocabulary) < size:
        best = max(pairs, key=lambda pair: (pairs[pair], pair))
        if pairs[best] < 2:
            break
        merges.append(best)
        vocabulary.append(best[0] + best[1])
        for i in list(where[best]):
            for pair in zip(words[i], words[i][1:]):
                pairs[pair] -= frequency[i]
            words[i] = joined(words[i], best)
            for pair in zip(words[i], words[i][1:]):
                pairs[pair] += frequency[i]
                where[pair].add(i)
        pairs.pop(best, None)
    return Tokenizer({token: i for i, token in enumerate(vocabulary)}, merges)


def joined(word, pair):
    out, i = [], 0
    while i < len(word):
        if tuple(word[i : i + 2]) == pair:
            out.append(pair[0] + pair[1])
            i += 2
        else:
            out.append(word[i])
            i += 1
    return out
