"""python prepare.py [VOCABULARY]: corpus/ -> tokenizer.json, corpus.npy, heldout.npy, books.json"""

import json
import sys

import numpy as np

import corpus
import tokenizer


def main(vocabulary):
    named = list(corpus.books())
    texts = [text for _, text in named] + list(corpus.addresses())
    with open("books.json", "w") as f:
        json.dump(sorted(name for name, _ in named), f, indent=0)

    bpe = tokenizer.train(texts[::3], vocabulary)
    bpe.save()

    def ids(text):
        return np.array(bpe.encode(text), dtype=np.uint16)

    separator = ids("\n\n\n")
    tokens = np.concatenate([part for text in texts for part in (ids(text), separator)])
    np.save("corpus.npy", tokens)
    np.save("heldout.npy", ids(corpus.moby_dick()))
    print(len(texts), "texts,", sum(map(len, texts)), "characters,", len(tokens), "tokens")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2048)
