# Makes multiheadAttention.json: what PyTorch's nn.MultiheadAttention computes, forward and gradients, in float64.
# `python3 test/golden/multiheadAttention.py` with the versions named in the file; the seed is below.
import json
import pathlib

import torch

torch.manual_seed(20261125)
torch.set_default_dtype(torch.float64)


def numbers(tensor):
    return {"shape": list(tensor.shape), "values": [float(f"{v:.12g}") for v in tensor.flatten().tolist()]}


def case(name, *, heads, width, batch, queries, keys=None, memory_width=None, causal=False, padding=None, bias=True):
    layer = torch.nn.MultiheadAttention(
        width, heads, bias=bias, batch_first=True, kdim=memory_width, vdim=memory_width
    )
    for parameter in layer.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    x = torch.randn(batch, queries, width, requires_grad=True)
    memory = None if keys is None else torch.randn(batch, keys, memory_width or width, requires_grad=True)
    source = x if memory is None else memory
    mask = torch.triu(torch.ones(queries, source.shape[1], dtype=torch.bool), 1) if causal else None
    ignored = None if padding is None else torch.arange(source.shape[1])[None] >= torch.tensor(padding)[:, None]
    out, weights = layer(
        x, source, source, attn_mask=mask, key_padding_mask=ignored, average_attn_weights=False
    )
    dout = torch.randn_like(out)
    (out * dout).sum().backward()
    return {
        "name": name,
        "heads": heads,
        "causal": causal,
        "lengths": padding,
        "parameters": {key: numbers(value) for key, value in layer.state_dict().items()},
        "x": numbers(x),
        "memory": None if memory is None else numbers(memory),
        "out": numbers(out),
        "weights": numbers(weights),
        "dout": numbers(dout),
        "dx": numbers(x.grad),
        "gradients": {key: numbers(value.grad) for key, value in layer.named_parameters()},
    }


cases = [
    case("self-attention", heads=2, width=8, batch=2, queries=5),
    case("causal, no biases", heads=4, width=8, batch=1, queries=6, causal=True, bias=False),
    case("cross-attention with padding", heads=2, width=6, batch=2, queries=3, keys=5, padding=[5, 2]),
    case("memory of another width", heads=3, width=6, batch=2, queries=4, keys=3, memory_width=5),
]
target = pathlib.Path(__file__).with_suffix(".json")
target.write_text(json.dumps({"torch": torch.__version__, "seed": 20261125, "cases": cases}) + "\n")
