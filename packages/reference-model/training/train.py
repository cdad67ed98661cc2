"""python train.py [SECONDS]: corpus.npy, heldout.npy, tokenizer.json -> checkpoint.pt

The schedule follows the clock, not a step count, and an interrupted run goes on from its checkpoint.
"""

import os
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F

import model
from sequences import Sequences
from tokenizer import Tokenizer

CHECKPOINT = "checkpoint.pt"
# until this share of the time: batch, context
SCHEDULE = [(0.10, 32, 256), (0.48, 16, 512), (0.71, 8, 1024), (0.88, 4, 2048), (1.01, 2, 4096)]
ADAM_RATE, MUON_RATE, MOMENTUM, DECAY = 4e-3, 0.02, 0.95, 0.05
ANSWER_WEIGHT = 4.0  # digits among the last 64 targets, where the codes are asked for


class Muon:
    """Momentum, orthogonalised by Newton-Schulz iterations; for the matrices inside the layers."""

    def __init__(self, parameters):
        self.parameters = parameters
        self.momenta = [torch.zeros_like(p) for p in parameters]

    @torch.no_grad()
    def step(self, rate):
        for p, momentum in zip(self.parameters, self.momenta):
            momentum.mul_(MOMENTUM).add_(p.grad)
            update = orthogonal(p.grad + MOMENTUM * momentum)
            p.mul_(1 - MUON_RATE * rate * DECAY)
            p.add_(update, alpha=-MUON_RATE * rate * max(1, p.shape[0] / p.shape[1]) ** 0.5)


def orthogonal(gradient):
    x = gradient / (gradient.norm() + 1e-7)
    tall = x.shape[0] > x.shape[1]
    if tall:
        x = x.t()
    for _ in range(5):
        a = x @ x.t()
        x = 3.4445 * x + (-4.7750 * a + 2.0315 * a @ a) @ x
    return x.t() if tall else x


class Training:
    def __init__(self, seconds):
        torch.set_num_threads(2)
        torch.manual_seed(1)
        self.seconds, self.done, self.step = seconds, 0.0, 0
        self.tokenizer = Tokenizer.load()
        tokens = np.load("corpus.npy").astype(np.int64)
        self.sequences = Sequences(tokens, self.tokenizer, model.VOCABULARY)
        self.heldout = np.load("heldout.npy").astype(np.int64)
        self.P = model.parameters()
        inner = {name for name, p in self.P.items() if p.ndim == 2 and name != "emb"}
        self.muon = Muon([p for name, p in self.P.items() if name in inner])
        outer = [p for name, p in self.P.items() if name not in inner]
        self.adam = torch.optim.AdamW(outer, lr=ADAM_RATE, betas=(0.9, 0.95), weight_decay=0.0)
        self.is_digit = torch.zeros(model.VOCABULARY)
        self.is_digit[[self.tokenizer.vocabulary[d] for d in "0123456789"]] = 1
        if os.path.exists(CHECKPOINT):
            self.resume()

    def run(self):
        start, before, average, next_report = time.time(), self.done, None, self.done + 0.06
        while True:
            self.done = before + (time.time() - start) / self.seconds
            if self.done >= 1:
                break
            loss = self.one_step()
            average = loss if average is None else 0.97 * average + 0.03 * loss
            self.step += 1
            if self.step % 25 == 0:
                print(f"{self.step} done {self.done:.3f} loss {average:.3f}", flush=True)
            if self.done > next_report:
                next_report += 0.06
                self.report(cases=6)
                self.save()
        self.report(cases=24)
        self.save()

    def one_step(self):
        batch, context = next((b, t) for until, b, t in SCHEDULE if self.done < until)
        part = max(1, min(batch, 4096 // context))  # what fits in memory at once
        ids = torch.tensor([self.sequences.draw(context) for _ in range(batch)])
        for p in self.P.values():
            p.grad = None
        total = 0.0
        for chunk in ids.split(part):
            losses, weights = self.losses(chunk)
            ((losses * weights).sum() / weights.sum() * len(chunk) / batch).backward()
            total += losses.mean().item() * len(chunk) / batch
        rate = self.rate()
        self.muon.step(rate)
        for group in self.adam.param_groups:
            group["lr"] = ADAM_RATE * rate
        self.adam.step()
        return total

    def losses(self, chunk):
        targets = chunk[:, 1:]
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits = model.forward(self.P, chunk[:, :-1])
        losses = F.cross_entropy(logits.float().flatten(0, 1), targets.flatten(), reduction="none")
        weights = torch.ones(targets.shape)
        weights[:, -64:] += (ANSWER_WEIGHT - 1) * self.is_digit[targets[:, -64:]]
        return losses.view_as(weights), weights

    def rate(self):
        """Warm-up over 50 steps, constant to 55 % of the time, then linear down to 3 %."""
        warm = min(1, (self.step + 1) / 50)
        return warm * (1.0 if self.done < 0.55 else max(0.03, (1 - self.done) / 0.45))

    @torch.no_grad()
    def report(self, cases):
        rows = [self.heldout[i * 7000 : i * 7000 + 1025] for i in range(8)]
        ids = torch.tensor(np.stack(rows))
        logits = model.forward(self.P, ids[:, :-1])
        loss = F.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten()).item()
        found = " ".join(f"{n}: {self.recalled(n, cases):.2f}" for n in (512, 2048))
        print(f"  {self.step} held-out loss {loss:.3f}, codes recalled at {found}", flush=True)

    def recalled(self, context, cases):
        """Share of cases whose last code, one of two hidden ones, comes out right in all digits."""
        right = 0
        for _ in range(cases):
            ids = torch.tensor([self.sequences.codes(context, 2)])
            best = model.forward(self.P, ids[:, :-1]).argmax(-1)[0]
            right += torch.equal(best[-6:-1], ids[0, -6:-1])
        return right / cases

    def save(self):
        state = {
            "step": self.step,
            "done": self.done,
            "P": {name: p.detach() for name, p in self.P.items()},
            "momenta": self.muon.momenta,
            "adam": self.adam.state_dict(),
        }
        torch.save(state, CHECKPOINT + ".tmp")
        os.replace(CHECKPOINT + ".tmp", CHECKPOINT)

    @torch.no_grad()
    def resume(self):
        state = torch.load(CHECKPOINT)
        self.step, self.done = state["step"], state["done"]
        for name, p in self.P.items():
            p.copy_(state["P"][name])
        for momentum, saved in zip(self.muon.momenta, state["momenta"]):
            momentum.copy_(saved)
        self.adam.load_state_dict(state["adam"])


if __name__ == "__main__":
    Training(float(sys.argv[1]) if len(sys.argv) > 1 else 6000.0).run()
