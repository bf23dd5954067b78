"""
Writes golden.json: tables and what scikit-learn, sacreBLEU and rouge-score say about them. The tests need no Python;
to write the file again: pip install scikit-learn==1.9.1 sacrebleu==2.6.0 rouge-score==0.1.2 && python golden.py
"""

import json
import pathlib

import numpy as np
import rouge_score
import sacrebleu
import sklearn
from rouge_score import rouge_scorer
from sklearn import metrics
from sklearn.calibration import calibration_curve

SEED = 35
random = np.random.default_rng(SEED)


def classification():
    classes = 4  # of which the last is expected twice and never predicted
    expected = random.choice(3, size=200, p=[0.6, 0.3, 0.1])
    expected[:2] = 3
    wrong = random.random(200) < 0.3
    predicted = np.where(wrong | (expected == 3), random.choice(3, size=200), expected)
    averages = {}
    for average in ["micro", "macro", "weighted"]:
        precision, recall, f1, _ = metrics.precision_recall_fscore_support(
            expected, predicted, labels=range(classes), average=average, zero_division=0
        )
        averages[average] = {"precision": precision, "recall": recall, "f1": f1}
    precision, recall, f1, _ = metrics.precision_recall_fscore_support(
        expected, predicted, labels=range(classes), zero_division=0
    )
    return {
        "classes": classes,
        "expected": expected.tolist(),
        "predicted": predicted.tolist(),
        "accuracy": metrics.accuracy_score(expected, predicted),
        "averages": averages,
        "perClass": [{"precision": p, "recall": r, "f1": f} for p, r, f in zip(precision, recall, f1)],
    }


def probabilities():
    """Scores with ties, and the area under their curve; calibration error over 15 bins of equal width."""
    labels = (random.random(400) < 0.3).astype(int)
    scores = np.round(np.clip(0.35 * labels + 0.6 * random.random(400), 0, 1), 2)
    bins = 15
    true, mean = calibration_curve(labels, scores, n_bins=bins, strategy="uniform")
    edges = np.linspace(0, 1, bins + 1)
    counts = np.bincount(np.searchsorted(edges[1:-1], scores), minlength=bins)
    return {
        "labels": labels.tolist(),
        "scores": scores.tolist(),
        "rocAuc": metrics.roc_auc_score(labels, scores),
        "bins": bins,
        "calibrationError": float(np.sum(np.abs(true - mean) * counts[counts > 0]) / len(scores)),
    }


def language_model():
    """Probabilities of the right token among five, and cross-entropy by scikit-learn."""
    logits = random.normal(size=(60, 5))
    table = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    right = random.integers(5, size=60)
    loss = metrics.log_loss(right, table, labels=range(5))
    characters = 143
    return {
        "losses": (-np.log(table[np.arange(60), right])).tolist(),
        "characters": characters,
        "loss": loss,
        "perplexity": float(np.exp(loss)),
        "bitsPerCharacter": float(loss * 60 / characters / np.log(2)),
    }


# Hypothesis, then references. Punctuation, numbers, entities, hyphens, other scripts, nothing at all.
CORPORA = {
    "oneReference": [
        ("The cat sat on the mat.", ["The cat sat on the mat, again."]),
        ("It cost $1,234.50 -- or about 3-4%.", ["It costs $1,234.50, about 3-4 %."]),
        ("&quot;Well-known&quot; facts &amp; figures &lt;here&gt;", ['"Well known" facts & figures <here>']),
        ("the the the the the the the", ["the cat is on the mat"]),
        ("Größe: 5m² – naïve café 😀👍🏽", ["Die Größe ist 5m² - naïve Cafés 😀👍"]),
        ("", ["not nothing"]),
        ("Short", ["Short"]),
        ("a  b\tc\u00a0d e f", ["a b c d e f."]),
    ],
    "severalReferences": [
        ("he read the book because he was interested in world history .",
         ["he was interested in world history because he read the book .", "he read the book as he liked history ."]),
        ("four score and seven years ago", ["four score and seven years ago our fathers", "87 years ago"]),
        ("tie of lengths", ["one two", "one two three four"]),
        ("abc-def 3-4 x.y 1.5, 2,", ["abc-def 3 - 4 x . y 1.5 , 2 ,", "abc def"]),
    ],
    "short": [("good day", ["good day to you"]), ("yes", ["yes"])],
    "noMatch": [("alpha beta gamma delta epsilon", ["one two three four five"])],
    "longer": [
        (" ".join(words), [" ".join(reference)])
        for words, reference in [
            (random.choice(list("abcdef"), size=40), random.choice(list("abcdef"), size=35)) for _ in range(6)
        ]
    ],
}


def texts(corpus):
    hypotheses = [hypothesis for hypothesis, _ in corpus]
    most = max(len(references) for _, references in corpus)
    streams = [[refs[i] if i < len(refs) else None for _, refs in corpus] for i in range(most)]
    scorer = rouge_scorer.RougeScorer(["rouge1", "rouge2", "rougeL"], use_stemmer=False)
    rouge = [scorer.score_multi(references, hypothesis) for hypothesis, references in corpus]
    return {
        "pairs": corpus,
        "tokens": [sacrebleu.BLEU().tokenizer(hypothesis.rstrip()) for hypothesis in hypotheses],
        "bleu": sacrebleu.BLEU().corpus_score(hypotheses, streams).score,
        "bleuLowercase": sacrebleu.BLEU(lowercase=True).corpus_score(hypotheses, streams).score,
        "chrf": sacrebleu.CHRF().corpus_score(hypotheses, streams).score,
        "chrfPlusPlus": sacrebleu.CHRF(word_order=2).corpus_score(hypotheses, streams).score,
        "rouge": {
            kind: {
                ours: float(np.mean([getattr(score[kind], theirs) for score in rouge]))
                for ours, theirs in [("precision", "precision"), ("recall", "recall"), ("f1", "fmeasure")]
            }
            for kind in ["rouge1", "rouge2", "rougeL"]
        },
    }


golden = {
    "source": {
        "seed": SEED,
        "numpy": np.__version__,
        "scikit-learn": sklearn.__version__,
        "sacrebleu": sacrebleu.__version__,
        "rouge-score": "0.1.2",
        "signatures": {"bleu": "nrefs:var|case:mixed|eff:no|tok:13a|smooth:exp", "chrf": "nc:6|nw:0|space:no|eff:yes"},
    },
    "classification": classification(),
    "probabilities": probabilities(),
    "languageModel": language_model(),
    "texts": {name: texts(corpus) for name, corpus in CORPORA.items()},
}
path = pathlib.Path(__file__).with_name("golden.json")
path.write_text(json.dumps(golden, indent=1, default=float, ensure_ascii=True) + "\n")
