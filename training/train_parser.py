"""Train the tiny parser: `OMP_NUM_THREADS=1 python -m training.train_parser --treebank DIR --out DIR`.

A spaCy pipeline (hash embeddings, a convolutional tok2vec, parts of speech, dependencies) is trained on the
treebank's `train.conllu` and on generated referring phrases, in about twenty minutes on one core. The weights
that are best on `dev.conllu` and on other generated phrases are kept.
"""

import argparse
import json
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from thinc.api import Adam, Optimizer, fix_random_seed, warmup_linear

from ris.pretrained.language.english_ud import EnglishUD
from training.evaluate_parser import PHRASE_TABLE, evaluate_attachment, read_phrase_table
from training.phrases import ExpressionGrammar
from training.treebank import Sentence, add_noise, find_frequent_words, join_sentences, read_conllu, to_doc

_WIDTH = 96
_EMBEDDER = {
    "@architectures": "spacy.MultiHashEmbed.v2",
    "width": _WIDTH,
    "attrs": ["LOWER", "PREFIX", "SUFFIX", "SHAPE"],
    "rows": [2500, 800, 800, 50],
    "include_static_vectors": False,
}
_ENCODER = {
    "@architectures": "spacy.MaxoutWindowEncoder.v2",
    "width": _WIDTH,
    "depth": 4,
    "window_size": 1,
    "maxout_pieces": 2,
}
TOK2VEC = {"@architectures": "spacy.Tok2Vec.v2", "embed": _EMBEDDER, "encode": _ENCODER}
_LISTENER = {"@architectures": "spacy.Tok2VecListener.v1", "width": _WIDTH, "upstream": "*"}
TAGGER = {"@architectures": "spacy.Tagger.v2", "nO": None, "normalize": False, "tok2vec": _LISTENER}
PARSER = {
    "@architectures": "spacy.TransitionBasedParser.v2",
    "state_type": "parser",
    "extra_state_tokens": True,
    "hidden_width": 64,
    "maxout_pieces": 2,
    "use_upper": True,
    "nO": None,
    "tok2vec": _LISTENER,
}


def main() -> None:
    """Train, or resume a training."""
    args = _parse_args()
    fix_random_seed(args.seed)
    rng = random.Random(args.seed)
    args.out.mkdir(parents=True, exist_ok=True)
    training = read_conllu(args.treebank / "train.conllu")
    development = read_conllu(args.treebank / "dev.conllu")
    unseen = make_phrase_source(training, random.Random(args.seed + 1), args)
    grammar = make_phrase_source(training, rng, args)
    nlp = make_pipeline()
    dev_docs = [to_doc(sentence, nlp.vocab) for sentence in development]
    phrase_docs = [to_doc(unseen(), nlp.vocab) for _ in range(1000)]
    examples = [make_example(nlp, s) for s in (*training, *(grammar() for _ in range(4000)))]
    nlp.initialize(lambda: examples)
    train_pipeline(nlp, training, grammar, {"treebank": dev_docs, "phrases": phrase_docs}, rng, args)


def make_pipeline() -> Language:
    """Build the pipeline without weights."""
    nlp = EnglishUD()
    nlp.add_pipe("tok2vec", config={"model": TOK2VEC})
    nlp.add_pipe("morphologizer", config={"model": TAGGER})
    nlp.add_pipe("parser", config={"model": PARSER, "min_action_freq": 10})
    return nlp


def make_phrase_source(
    training: list[Sentence], rng: random.Random, args: argparse.Namespace
) -> Callable[[], Sentence]:
    """Make a function that generates phrases, none of which is in the table of the evaluation."""
    grammar = ExpressionGrammar(
        rng,
        nouns=find_frequent_words(training, "NOUN", at_least=3),
        adjectives=find_frequent_words(training, "ADJ", at_least=3),
        verbs=find_frequent_words(training, "VERB", at_least=3, ending="ing"),
    )
    held_out = {expression for _, expression, _ in read_phrase_table(args.table)}

    def draw_phrase() -> Sentence:
        while True:
            phrase = grammar.make_expression()
            if " ".join(phrase.words) not in held_out:
                return phrase

    return draw_phrase


def train_pipeline(
    nlp: Language,
    training: list[Sentence],
    grammar: Callable[[], Sentence],
    held_out: dict[str, list[Doc]],
    rng: random.Random,
    args: argparse.Namespace,
) -> None:
    """Train a pipeline; the best weights, a curve and a checkpoint are written to `args.out`.

    Args:
        nlp: the pipeline, initialised.
        training: sentences of the treebank.
        grammar: generates phrases.
        held_out: Docs with gold trees for the evaluations, by name.
        rng: the generator.
        args: of the command.
    """
    words_per_epoch = sum(len(s.words) for s in training) * (1 + args.phrase_share)
    steps = int(args.epochs * words_per_epoch / args.batch_words)
    rates: Any = warmup_linear(args.rate, 200, int(steps * 1.02))
    optimiser = Adam(rates, L2=0.01, grad_clip=1.0, L2_is_weight_decay=True)
    started = time.monotonic()
    losses: dict[str, float] = {}
    checkpoint = args.out / "checkpoint.npz"
    start, best = load_parser_checkpoint(checkpoint, nlp, optimiser)
    batches = batch_sentences(stream_sentences(training, grammar, rng, args), args.batch_words)
    for _ in range(start):  # skip the batches before the stop
        next(batches)
        optimiser.step_schedules()
    for step in range(start + 1, steps + 1):
        fix_random_seed(args.seed * 10**7 + step)  # for dropout, and for the cuts of long texts in spaCy
        nlp.update(
            [make_example(nlp, s) for s in next(batches)], sgd=optimiser, drop=args.drop, losses=losses
        )
        optimiser.step_schedules()
        if step % args.every and step != steps:
            continue
        with nlp.use_params(optimiser.averages):
            scores = {name: evaluate_attachment(nlp, docs)["las"] for name, docs in held_out.items()}
            score = float(np.mean(list(scores.values())))
            if score > best:
                best = score
                save_pipeline(nlp, args.out)
        write_curve(args.out / "curve.jsonl", step, steps, started, losses | scores)
        losses.clear()
        save_parser_checkpoint(checkpoint, nlp, optimiser, step, best)


def stream_sentences(
    training: list[Sentence], grammar: Callable[[], Sentence], rng: random.Random, args: argparse.Namespace
) -> Iterator[Sentence]:
    """Yield sentences and phrases without end, with new noise each time; some sentences are joined."""
    n_words = float(np.mean([len(s.words) for s in training]))
    n_phrase_words = 7.0
    phrases_per_sentence = args.phrase_share * n_words / n_phrase_words
    while True:
        for sentence in rng.sample(training, len(training)):
            if rng.random() < 0.1:
                sentence = join_sentences((sentence, rng.choice(training)))
            yield add_noise(sentence, rng, typos=args.typos)
            for _ in range(int(phrases_per_sentence + rng.random())):
                yield add_noise(grammar(), rng, typos=1.5 * args.typos)


def batch_sentences(sentences: Iterator[Sentence], words: int) -> Iterator[list[Sentence]]:
    """Yield batches of at least `words` words."""
    batch: list[Sentence] = []
    for sentence in sentences:
        batch.append(sentence)
        if sum(len(s.words) for s in batch) >= words:
            yield batch
            batch = []


def make_example(nlp: Language, sentence: Sentence) -> Example:
    """Make a training example of a sentence."""
    gold = to_doc(sentence, nlp.vocab)
    return Example(Doc(nlp.vocab, words=list(sentence.words)), gold)


def save_pipeline(nlp: Language, folder: Path) -> None:
    """Write the pipeline with a new vocabulary, which has the labels and not the words of the training."""
    shipped = make_pipeline()
    component: Any  # a TrainablePipe
    for name, component in nlp.components:
        copy: Any = shipped.get_pipe(name)
        copy.from_bytes(component.to_bytes(exclude=["vocab"]), exclude=["vocab"])
    shipped.meta["name"] = "referring_phrases"
    shipped.meta["description"] = "UD parser of referring expressions, for lower-cased text"
    shipped.meta["license"] = "CC BY-SA 4.0"
    shipped.meta["spacy_version"] = ">=3.8.0,<3.9.0"
    shipped.meta["sources"] = [
        {
            "name": "Universal Dependencies English Web Treebank (UD_English-EWT)",
            "author": "the authors named in that repository",
            "license": "CC BY-SA 4.0",
            "url": "https://github.com/UniversalDependencies/UD_English-EWT",
        }
    ]
    shipped.to_disk(folder / "parser")


OPTIMISER_PARTS = ("mom1", "mom2", "averages", "nr_update")


def save_parser_checkpoint(path: Path, nlp: Language, optimiser: Optimizer, step: int, best: float) -> None:
    """Write a checkpoint; the file is complete or not there."""
    arrays: dict[str, Any] = {"pipeline": np.frombuffer(nlp.to_bytes(), np.uint8), "step": step, "best": best}
    index_of = {node: index for index, node in enumerate(get_node_ids(nlp))}
    for part in OPTIMISER_PARTS:
        for (node, name), value in getattr(optimiser, part).items():
            arrays[f"{part}/{index_of[node]}/{name}"] = value
    part_file = path.with_suffix(".part.npz")
    np.savez(part_file, **arrays)
    part_file.replace(path)


def load_parser_checkpoint(path: Path, nlp: Language, optimiser: Optimizer) -> tuple[int, float]:
    """Load a checkpoint and return its step and the best score; 0 and -1 when there is none."""
    if not path.exists():
        return 0, -1.0
    nodes = get_node_ids(nlp)
    with np.load(path) as saved:
        nlp.from_bytes(saved["pipeline"].tobytes())
        for key in saved.files:
            part, _, place = key.partition("/")
            if part in OPTIMISER_PARTS:
                number, name = place.split("/")
                value = saved[key]
                getattr(optimiser, part)[nodes[int(number)], name] = value if value.ndim else int(value)
        return int(saved["step"]), float(saved["best"])


def get_node_ids(nlp: Language) -> list[int]:
    """Get the optimiser's numbers of the layers; they differ from process to process."""
    components: list[Any] = [component for _, component in nlp.components]  # TrainablePipe
    nodes = [node.id for component in components for node in component.model.walk()]
    return list(dict.fromkeys(nodes))


def write_curve(path: Path, step: int, steps: int, started: float, values: dict[str, float]) -> None:
    """Write a line of the training curve to a JSON Lines file and to the screen."""
    entry = {"step": step, "minutes": round((time.monotonic() - started) / 60, 2)}
    entry |= {name: round(float(value), 4) for name, value in values.items()}
    with path.open("a") as file:
        file.write(json.dumps(entry) + "\n")
    print(f"{step}/{steps} " + " ".join(f"{name} {value}" for name, value in entry.items()), flush=True)


def _parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--treebank", type=Path, required=True, help="folder with train.conllu and dev.conllu"
    )
    parser.add_argument(
        "--table", type=Path, default=PHRASE_TABLE, help="expressions that are kept out of the training"
    )
    parser.add_argument(
        "--out", type=Path, required=True, help="model folder; an unfinished training resumes"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--epochs", type=float, default=22, help="passes through the treebank")
    parser.add_argument("--phrase-share", type=float, default=0.3, help="words of phrases per treebank word")
    parser.add_argument("--typos", type=float, default=0.03, help="share of words with a typo")
    parser.add_argument("--batch-words", type=int, default=500)
    parser.add_argument("--rate", type=float, default=1.5e-3)
    parser.add_argument("--drop", type=float, default=0.2)
    parser.add_argument("--every", type=int, default=1000, help="steps between evaluations")
    return parser.parse_args()


if __name__ == "__main__":
    main()
