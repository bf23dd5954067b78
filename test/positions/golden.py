"""
Writes golden.json: attention with Shaw's, T5's and ALiBi's positions and rotary ones, from their papers' formulas in NumPy
float64, pair by pair. Gradients by the complex step, f'(x) = Im f(x + ih) / h with h = 1e-30, which has no rounding error.
No code is shared with src/. The tests need no Python; to write the file again: pip install numpy==2.4.6 && python golden.py
"""

import json
import math
import pathlib

import numpy as np

SEED = 50
random = np.random.default_rng(SEED)
H, L, S, D, DV = 2, 5, 7, 4, 3


def normal(*shape):
    return np.round(random.standard_normal(shape), 3)


def attend(scores, values):
    """scores [H, L, S]; values [H, L, S, DV], one for every pair."""
    scores = scores - scores.real.max(axis=-1, keepdims=True)
    weights = np.exp(scores)
    weights = weights / weights.sum(axis=-1, keepdims=True)
    return np.einsum("hls,hlsd->hld", weights, values)


def case(function, dout, **inputs):
    """The result, and the gradient of sum(out * dout) for every input."""
    gradients = {}
    for name, value in inputs.items():
        gradient = np.zeros(value.shape)
        for index in np.ndindex(value.shape):
            moved = {key: x.astype(complex) for key, x in inputs.items()}
            moved[name][index] += 1e-30j
            gradient[index] = (function(**moved) * dout).sum().imag / 1e-30
        gradients[name] = gradient
    as_list = lambda table: {key: x.tolist() for key, x in table.items()}
    out = function(**{key: x.astype(complex) for key, x in inputs.items()}).real
    return {"inputs": as_list(inputs), "dout": dout.tolist(), "out": out.tolist(), "gradients": as_list(gradients)}


def shaw(q, k, v, keys, values):
    """Shaw et al. 2018, eq. 3 and 4 with 5: a_ij = w[clip(j - i, -K, K) + K]."""
    reach = (keys.shape[0] - 1) // 2
    column = [[min(max(j - i, -reach), reach) + reach for j in range(S)] for i in range(L)]
    scores = np.einsum("hld,hlsd->hls", q, k[:, None] + keys[column][None]) / math.sqrt(D)
    return attend(scores, v[:, None] + values[column][None])


def t5_bucket(relative_position, bidirectional, num_buckets, max_distance):
    """mesh_tensorflow, transformer_layers.py, _relative_position_bucket; relative_position = memory - query."""
    ret, n = 0, -relative_position
    if bidirectional:
        num_buckets //= 2
        ret += num_buckets if n < 0 else 0
        n = abs(n)
    else:
        n = max(n, 0)
    max_exact = num_buckets // 2
    if n < max_exact:
        return ret + n
    f = np.float32
    large = f(f(np.log(f(f(n) / f(max_exact)))) / f(math.log(max_distance / max_exact))) * f(num_buckets - max_exact)
    return ret + min(max_exact + int(large), num_buckets - 1)


def t5(q, k, v, weight, offset):
    """Raffel et al. 2020, 2.1: a score for each head and bucket; q·k is not scaled."""
    bucket = [[t5_bucket(j - (i + offset), True, weight.shape[0], 6) for j in range(S)] for i in range(L)]
    scores = np.einsum("hld,hsd->hls", q, k) + np.moveaxis(weight[bucket], -1, 0)
    return attend(scores, np.broadcast_to(v[:, None], (H, L, S, DV)))


def alibi(q, k, v, slopes):
    """Press et al. 2022, section 3, with its causal mask and the queries at the end of the keys."""
    place = np.arange(L)[:, None] + (S - L)
    distance = place - np.arange(S)[None, :]
    scores = np.einsum("hld,hsd->hls", q, k) / math.sqrt(D) - slopes[:, None, None] * distance
    scores = np.where(distance >= 0, scores, -1e30)
    return attend(scores, np.broadcast_to(v[:, None], (H, L, S, DV)))


def frequencies(width, kind, factor, trained):
    theta = 10000.0 ** (-np.arange(0, width, 2) / width)
    if kind == "linear":  # Chen et al. 2023
        return theta / factor, 1.0
    if kind == "ntk":  # bloc97 2023
        return (10000.0 * factor ** (width / (width - 2))) ** (-np.arange(0, width, 2) / width), 1.0
    if kind == "yarn":  # Peng et al. 2023, section 3.2, with the authors' rounding of the ramp's ends
        end = lambda turns: width * math.log(trained / (turns * 2 * math.pi)) / (2 * math.log(10000.0))
        low, high = max(math.floor(end(32)), 0), min(math.ceil(end(1)), width - 1)
        ramp = np.clip((np.arange(width // 2) - low) / (high - low if high != low else 0.001), 0, 1)
        return theta / factor * ramp + theta * (1 - ramp), 0.1 * math.log(factor) + 1
    return theta, 1.0


def rotary(x, width, interleaved, kind, factor, trained, offset):
    """Su et al. 2021, eq. 34, each pair as a complex number."""
    theta, magnitude = frequencies(width, kind, factor, trained)
    first, second = (slice(0, width, 2), slice(1, width, 2)) if interleaved else (slice(0, width // 2), slice(width // 2, width))
    turn = magnitude * np.exp(1j * (np.arange(x.shape[-2]) + offset)[:, None] * theta)
    turned = (x[..., first] + 1j * x[..., second]) * turn
    out = x.copy()
    out[..., first], out[..., second] = turned.real, turned.imag
    return out


def rotary_case(width, interleaved, kind, factor, trained, offset):
    x = normal(H, L, 12)
    options = dict(width=width, interleaved=interleaved, kind=kind, factor=factor, trained=trained, offset=offset)
    return {**options, "x": x.tolist(), "out": rotary(x, **options).tolist()}


q, k, v, dout = normal(H, L, D), normal(H, S, D), normal(H, S, DV), normal(H, L, DV)
golden = {
    "made": {"by": "golden.py", "numpy": np.__version__, "seed": SEED},
    "shaw": case(shaw, dout, q=q, k=k, v=v, keys=normal(5, D), values=normal(5, DV)),
    "t5": case(lambda **inputs: t5(offset=1, **inputs), dout, q=q, k=k, v=v, weight=normal(8, H)),
    "alibi": case(alibi, dout, q=q, k=k, v=v, slopes=np.array([0.25, 0.0625])),
    "buckets": [
        {
            "bidirectional": both,
            "buckets": count,
            "maxDistance": most,
            "from": -300,
            "values": [t5_bucket(d, both, count, most) for d in range(-300, 301)],
        }
        for both, count, most in [(True, 32, 128), (False, 32, 128), (True, 8, 20), (False, 5, 7)]
    ],
    "rotary": [
        rotary_case(12, False, None, 1, 0, 0),
        rotary_case(12, True, None, 1, 0, 100),
        rotary_case(8, False, None, 1, 0, 3),
        rotary_case(12, False, "linear", 4, 0, 50),
        rotary_case(12, True, "ntk", 8, 0, 1000),
        rotary_case(12, False, "yarn", 16, 2048, 5000),
        rotary_case(4, True, "yarn", 2, 64, 7),
    ],
}
pathlib.Path(__file__).with_name("golden.json").write_text(json.dumps(golden) + "\n")
