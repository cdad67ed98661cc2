"""The model for training: Llama with grouped queries, written out in plain PyTorch."""

import math

import torch
import torch.nn.functional as F

VOCABULARY, WIDTH, LAYERS, HEADS, KV_HEADS, HEAD_DIM, FEED_FORWARD = 2048, 256, 4, 4, 2, 64, 640
ROPE_THETA, NORM_EPSILON = 100_000.0, 1e-5
GROUP = HEADS // KV_HEADS


def parameters():
    def normal(*shape, std):
        return torch.nn.Parameter(torch.randn(*shape) * std)

    def ones():
        return torch.nn.Parameter(torch.ones(WIDTH))

    std = WIDTH**-0.5
    residual = math.sqrt(2 * LAYERS)  # what is added to the stream starts smaller
    P = {"emb": normal(VOCABULARY, WIDTH, std=0.02), "norm": ones()}
    for l in range(LAYERS):
        P[f"{l}.n1"], P[f"{l}.n2"] = ones(), ones()
        P[f"{l}.q"] = normal(HEADS * HEAD_DIM, WIDTH, std=std)
        P[f"{l}.k"] = normal(KV_HEADS * HEAD_DIM, WIDTH, std=std)
        P[f"{l}.v"] = normal(KV_HEADS * HEAD_DIM, WIDTH, std=std)
        P[f"{l}.o"] = normal(WIDTH, HEADS * HEAD_DIM, std=std / residual)
        P[f"{l}.gate"] = normal(FEED_FORWARD, WIDTH, std=std)
        P[f"{l}.up"] = normal(FEED_FORWARD, WIDTH, std=std)
        P[f"{l}.down"] = normal(WIDTH, FEED_FORWARD, std=FEED_FORWARD**-0.5 / residual)
    return P


def norm(x, weight):
    return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + NORM_EPSILON) * weight


def rotary_tables(tokens):
    inverse = 1.0 / (ROPE_THETA ** (torch.arange(0, HEAD_DIM, 2).float() / HEAD_DIM))
    angles = torch.outer(torch.arange(tokens).float(), inverse)
    return angles.cos(), angles.sin()


def rotate(x, cos, sin):
    """Pairs are (i, i + HEAD_DIM / 2), as in Hugging Face's Llama."""
    a, b = x[..., : HEAD_DIM // 2], x[..., HEAD_DIM // 2 :]
    return torch.cat([a * cos - b * sin, b * cos + a * sin], -1)


def forward(P, ids):
    """ids [batch, tokens] -> logits [batch, tokens, VOCABULARY]"""
    tokens = ids.shape[1]
    tables = rotary_tables(tokens)
    mask = torch.full((tokens, tokens), float("-inf")).triu(1)
    x = F.embedding(ids, P["emb"])
    for l in range(LAYERS):
        x = x + attention(P, l, norm(x, P[f"{l}.n1"]), tables, mask)
        h = norm(x, P[f"{l}.n2"])
        x = x + (F.silu(h @ P[f"{l}.gate"].t()) * (h @ P[f"{l}.up"].t())) @ P[f"{l}.down"].t()
    return norm(x, P["norm"]) @ P["emb"].t()


def attention(P, l, h, tables, mask):
    batch, tokens, _ = h.shape

    def heads(name, count):
        return (h @ P[f"{l}.{name}"].t()).view(batch, tokens, count, HEAD_DIM).transpose(1, 2)

    q = rotate(heads("q", HEADS), *tables)
    k = rotate(heads("k", KV_HEADS), *tables).repeat_interleave(GROUP, 1)
    v = heads("v", KV_HEADS).repeat_interleave(GROUP, 1)
    q, k, v = (t.reshape(batch * HEADS, tokens, HEAD_DIM) for t in (q, k, v))
    scores = torch.baddbmm(
        mask.expand(batch * HEADS, tokens, tokens), q, k.transpose(1, 2), alpha=HEAD_DIM**-0.5
    )
    out = torch.bmm(scores.softmax(-1), v).view(batch, HEADS, tokens, HEAD_DIM)
    return out.transpose(1, 2).reshape(batch, tokens, HEADS * HEAD_DIM) @ P[f"{l}.o"].t()
