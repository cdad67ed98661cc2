"""python reference.py MODEL_DIRECTORY: the reference logits that the package's tests hold the graph to

Written apart from model.py, from config.json and the exported f16 weights alone, in f32.
Reads heldout.npy; writes reference.safetensors.
"""

import json
import os
import sys

import numpy as np
import torch

import safetensors_io
from tokenizer import Tokenizer

POSITIONS = [1023, 2047, 3071, 4095]


class Reference:
    def __init__(self, directory):
        with open(os.path.join(directory, "config.json")) as f:
            self.config = json.load(f)
        arrays = safetensors_io.load(os.path.join(directory, "model.safetensors"))
        self.W = {name: torch.from_numpy(a.astype(np.float32)) for name, a in arrays.items()}

    def logits(self, ids):
        """ids [tokens] -> logits [tokens, vocabulary]"""
        c, W = self.config, self.W
        rotate = self.rotation(len(ids))
        x = W["model.embed_tokens.weight"][torch.as_tensor(ids).long()]
        for l in range(c["num_hidden_layers"]):
            p = f"model.layers.{l}."
            x = x + self.attention(p + "self_attn.", self.norm(x, p + "input_layernorm"), rotate)
            y = self.norm(x, p + "post_attention_layernorm")
            gate, up = (y @ W[f"{p}mlp.{name}_proj.weight"].t() for name in ("gate", "up"))
            x = x + (torch.nn.functional.silu(gate) * up) @ W[p + "mlp.down_proj.weight"].t()
        return self.norm(x, "model.norm") @ W["model.embed_tokens.weight"].t()

    def norm(self, x, name):
        mean = x.pow(2).mean(-1, keepdim=True)
        return x * torch.rsqrt(mean + self.config["rms_norm_eps"]) * self.W[name + ".weight"]

    def rotation(self, tokens):
        half = self.config["head_dim"] // 2
        exponents = torch.arange(half).double() / half
        angles = torch.outer(
            torch.arange(tokens).double(), 1.0 / self.config["rope_theta"] ** exponents
        )
        cos, sin = angles.cos().float(), angles.sin().float()

        def rotate(x):
            a, b = x[..., :half], x[..., half:]
            return torch.cat([a * cos - b * sin, b * cos + a * sin], -1)

        return rotate

    def attention(self, prefix, x, rotate):
        c = self.config
        tokens, head_dim = len(x), c["head_dim"]
        heads, kv_heads = c["num_attention_heads"], c["num_key_value_heads"]

        def project(name, count):
            y = x @ self.W[f"{prefix}{name}_proj.weight"].t()
            return y.view(tokens, count, head_dim).transpose(0, 1)

        q, k, v = rotate(project("q", heads)), rotate(project("k", kv_heads)), project("v", kv_heads)
        k, v = (t.repeat_interleave(heads // kv_heads, 0) for t in (k, v))
        mask = torch.full((tokens, tokens), float("-inf")).triu(1)
        weights = (q @ k.transpose(1, 2) / head_dim**0.5 + mask).softmax(-1)
        y = (weights @ v).transpose(0, 1).reshape(tokens, heads * head_dim)
        return y @ self.W[prefix + "o_proj.weight"].t()

    def greedy(self, ids, count):
        ids = list(ids)
        for _ in range(count):
            ids.append(int(self.logits(ids)[-1].argmax()))
        return ids


@torch.no_grad()
def main(directory):
    reference = Reference(directory)
    heldout = np.load("heldout.npy").astype(np.int32)
    short, long = heldout[:128], heldout[20000 : 20000 + 4096]
    greedy = reference.greedy(heldout[:64], 64)
    arrays = {
        "short.ids": short,
        "short.logits": reference.logits(short).numpy(),
        "long.ids": long,
        "long.positions": np.array(POSITIONS, np.int32),
        "long.logits": reference.logits(long)[POSITIONS].numpy(),
        "greedy.ids": np.array(greedy, np.int32),
    }
    safetensors_io.save("reference.safetensors", arrays)


if __name__ == "__main__":
    main(sys.argv[1])
