"""Ten training steps of a small GPT in float64, written out by hand: forward, backward, clipping, AdamW.

Makes transformer.json, which test/train/golden.test.ts replays. Nothing here is shared with Keyhole. Run it with
    python3 test/train/golden/transformer.py
Made with Python 3.11 and NumPy 2.x (the exact versions are in the file); the seed is below.
"""
import json
import math
import os
import platform

import numpy as np

SEED, STEPS = 7, 10
V, E, H, F, LAYERS, L, B = 11, 8, 2, 16, 2, 6, 3
RATE, BETA1, BETA2, EPSILON, DECAY, CLIP = 0.02, 0.9, 0.99, 1e-8, 0.1, 0.5
D = E // H

random = np.random.default_rng(SEED)
erf = np.vectorize(math.erf)


def draw(*shape, deviation=0.3):
    return np.round(random.normal(0, deviation, shape), 6)


def parameters():
    p = {'embedding.weight': draw(V, E), 'positions.weight': draw(L, E)}
    for n in range(LAYERS):
        b = f'blocks.{n}.'
        for norm in ('attentionNorm', 'feedForwardNorm'):
            p[b + norm + '.weight'] = np.round(1 + draw(E, deviation=0.1), 6)
            p[b + norm + '.bias'] = draw(E, deviation=0.1)
        for name in 'q', 'k', 'v', 'out':
            p[b + f'attention.{name}.weight'] = draw(E, E)
            p[b + f'attention.{name}.bias'] = draw(E, deviation=0.1)
        p[b + 'feedForward.expand.weight'], p[b + 'feedForward.expand.bias'] = draw(F, E), draw(F, deviation=0.1)
        p[b + 'feedForward.contract.weight'], p[b + 'feedForward.contract.bias'] = draw(E, F), draw(E, deviation=0.1)
    p['norm.weight'], p['norm.bias'] = np.round(1 + draw(E, deviation=0.1), 6), draw(E, deviation=0.1)
    return p


def norm_forward(x, gain, bias):
    mean = x.mean(-1, keepdims=True)
    scale = 1 / np.sqrt(((x - mean) ** 2).mean(-1, keepdims=True) + 1e-5)
    unit = (x - mean) * scale
    return unit * gain + bias, (unit, scale, gain)


def norm_backward(dy, kept, grads, name):
    unit, scale, gain = kept
    grads[name + '.weight'] = (dy * unit).reshape(-1, E).sum(0)
    grads[name + '.bias'] = dy.reshape(-1, E).sum(0)
    du = dy * gain
    return scale * (du - du.mean(-1, keepdims=True) - unit * (du * unit).mean(-1, keepdims=True))


def linear_backward(dy, x, weight, grads, name):
    rows, columns = dy.reshape(-1, dy.shape[-1]), x.reshape(-1, x.shape[-1])
    grads[name + '.weight'], grads[name + '.bias'] = rows.T @ columns, rows.sum(0)
    return dy @ weight


def heads(x):  # [B, L, E] -> [B, H, L, D]
    return x.reshape(B, L, H, D).transpose(0, 2, 1, 3)


def joined(x):
    return x.transpose(0, 2, 1, 3).reshape(B, L, E)


def step_gradients(p, ids, labels):
    """Mean loss over all tokens and its gradients."""
    grads, kept = {}, []
    x = p['embedding.weight'][ids] + p['positions.weight']
    allowed = np.tril(np.ones((L, L), bool))
    for n in range(LAYERS):
        b = f'blocks.{n}.'
        a, norm1 = norm_forward(x, p[b + 'attentionNorm.weight'], p[b + 'attentionNorm.bias'])
        q, k, v = (heads(a @ p[b + f'attention.{s}.weight'].T + p[b + f'attention.{s}.bias']) for s in 'qkv')
        scores = np.where(allowed, q @ k.transpose(0, 1, 3, 2) / math.sqrt(D), -np.inf)
        weights = np.exp(scores - scores.max(-1, keepdims=True))
        weights /= weights.sum(-1, keepdims=True)
        mixed = joined(weights @ v)
        x = x + mixed @ p[b + 'attention.out.weight'].T + p[b + 'attention.out.bias']
        f, norm2 = norm_forward(x, p[b + 'feedForwardNorm.weight'], p[b + 'feedForwardNorm.bias'])
        h = f @ p[b + 'feedForward.expand.weight'].T + p[b + 'feedForward.expand.bias']
        g = h * 0.5 * (1 + erf(h / math.sqrt(2)))
        x = x + g @ p[b + 'feedForward.contract.weight'].T + p[b + 'feedForward.contract.bias']
        kept.append((a, norm1, q, k, v, weights, mixed, f, norm2, h, g))
    y, last = norm_forward(x, p['norm.weight'], p['norm.bias'])
    logits = y @ p['embedding.weight'].T
    shifted = logits - logits.max(-1, keepdims=True)
    logs = shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))
    chosen = np.eye(V)[labels]
    loss = -(logs * chosen).sum() / labels.size

    dlogits = (np.exp(logs) - chosen) / labels.size
    dtable = dlogits.reshape(-1, V).T @ y.reshape(-1, E)
    dx = norm_backward(dlogits @ p['embedding.weight'], last, grads, 'norm')
    for n in reversed(range(LAYERS)):
        b = f'blocks.{n}.'
        a, norm1, q, k, v, weights, mixed, f, norm2, h, g = kept[n]
        dg = linear_backward(dx, g, p[b + 'feedForward.contract.weight'], grads, b + 'feedForward.contract')
        slope = 0.5 * (1 + erf(h / math.sqrt(2))) + h * np.exp(-h * h / 2) / math.sqrt(2 * math.pi)
        df = linear_backward(dg * slope, f, p[b + 'feedForward.expand.weight'], grads, b + 'feedForward.expand')
        dx = dx + norm_backward(df, norm2, grads, b + 'feedForwardNorm')
        dmixed = heads(linear_backward(dx, mixed, p[b + 'attention.out.weight'], grads, b + 'attention.out'))
        dweights = dmixed @ v.transpose(0, 1, 3, 2)
        dscores = weights * (dweights - (dweights * weights).sum(-1, keepdims=True)) / math.sqrt(D)
        parts = {'q': dscores @ k, 'k': dscores.transpose(0, 1, 3, 2) @ q, 'v': weights.transpose(0, 1, 3, 2) @ dmixed}
        da = sum(
            linear_backward(joined(part), a, p[b + f'attention.{s}.weight'], grads, b + f'attention.{s}')
            for s, part in parts.items()
        )
        dx = dx + norm_backward(da, norm1, grads, b + 'attentionNorm')
    np.add.at(dtable, ids.reshape(-1), dx.reshape(-1, E))
    grads['embedding.weight'], grads['positions.weight'] = dtable, dx.sum(0)
    return loss, grads


def decays(name, value):
    return value.ndim > 1 and name not in ('embedding.weight', 'positions.weight')


def main():
    p = parameters()
    start = {name: value.tolist() for name, value in p.items()}
    m = {name: np.zeros_like(value) for name, value in p.items()}
    v = {name: np.zeros_like(value) for name, value in p.items()}
    steps = []
    for step in range(1, STEPS + 1):
        text = random.integers(0, V, (B, L + 1))
        loss, grads = step_gradients(p, text[:, :-1], text[:, 1:])
        norm = math.sqrt(sum((g**2).sum() for g in grads.values()))
        scale = min(1, CLIP / norm)
        for name in p:
            g = grads[name] * scale
            m[name] = BETA1 * m[name] + (1 - BETA1) * g
            v[name] = BETA2 * v[name] + (1 - BETA2) * g * g
            decayed = p[name] * (1 - RATE * (DECAY if decays(name, p[name]) else 0))
            move = m[name] / (1 - BETA1**step) / (np.sqrt(v[name] / (1 - BETA2**step)) + EPSILON)
            p[name] = decayed - RATE * move
        steps.append({'text': text.tolist(), 'loss': loss, 'norm': norm})
    golden = {
        'made': {'python': platform.python_version(), 'numpy': np.__version__, 'seed': SEED},
        'sizes': {'vocabulary': V, 'width': E, 'heads': H, 'hidden': F, 'layers': LAYERS, 'context': L},
        'update': {'rate': RATE, 'beta1': BETA1, 'beta2': BETA2, 'epsilon': EPSILON, 'weightDecay': DECAY, 'clipNorm': CLIP},
        'start': start,
        'steps': steps,
        'end': {name: [float(x) for x in value.reshape(-1)] for name, value in p.items()},
    }
    with open(os.path.join(os.path.dirname(__file__), 'transformer.json'), 'w') as file:
        json.dump(golden, file, separators=(',', ':'))
        file.write('\n')


main()
