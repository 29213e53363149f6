"""The reference's computations as a user of PyTorch would write them; names of parameters as in the library."""
import torch
from torch import nn
from torch.nn import functional as F


class SlotAttention(nn.Module):
    """One head, no feed-forward: x (B, N, F) and slots (B, K, D) to slots and attention (B, K, N)."""

    def __init__(self, f, d, c, iterations):
        super().__init__()
        self.iterations = iterations
        self.norm_input = nn.LayerNorm(f)
        self.norm_slots = nn.LayerNorm(d)
        self.to_q = nn.Linear(d, c, bias=False)
        self.to_k = nn.Linear(f, c, bias=False)
        self.to_v = nn.Linear(f, c, bias=False)
        self.gru = nn.GRUCell(c, d)

    def forward(self, x, slots):
        b, k, d = slots.shape
        x = self.norm_input(x)
        keys, values = self.to_k(x), self.to_v(x)
        for _ in range(self.iterations):
            queries = self.to_q(self.norm_slots(slots))
            logits = torch.einsum("bkc,bnc->bkn", queries, keys) * keys.shape[-1] ** -0.5
            attention = logits.softmax(dim=1)
            weights = attention + 1e-8
            weights = weights / weights.sum(dim=-1, keepdim=True)
            updates = torch.einsum("bnc,bkn->bkc", values, weights)
            slots = self.gru(updates.reshape(b * k, -1), slots.reshape(b * k, d)).reshape(b, k, d)
        return slots, attention


class StickBreaking(nn.Module):
    """x (B, N, F) and a draw (B, N) to objects (B, K, D) and masks (B, K, N)."""

    def __init__(self, f, d, slots):
        super().__init__()
        self.slots = slots
        self.register_buffer("kernel_logvar", torch.zeros(()))
        self.in_proj = nn.Linear(f, f)
        self.out_proj = nn.Linear(f, d)

    def forward(self, x, uniform):
        p = F.normalize(self.in_proj(x), dim=-1)
        log_scope = torch.zeros_like(uniform)
        log_seeds = uniform.clamp_min(1e-8).log()
        least = torch.tensor(1e-8, device=x.device).log()
        images = torch.arange(x.shape[0], device=x.device)
        masks, scopes = [], []
        for _ in range(self.slots):
            scopes.append(log_scope)
            centre = p[images, (log_scope + log_seeds).argmax(dim=1)].unsqueeze(1)
            squares = (centre - p).pow(2).sum(dim=-1)
            log_alpha = torch.maximum(-squares / self.kernel_logvar.exp(), least)
            masks.append((log_scope + log_alpha).exp())
            log_scope = log_scope + (1 - log_alpha.exp()).clamp_min(1e-8).log()
        masks = torch.stack(masks, dim=1)
        empty = torch.stack(scopes, dim=1).exp().mean(dim=-1) < 0.0
        objects = torch.einsum("bkn,bnf->bkf", masks, x)
        objects = objects / masks.sum(dim=-1, keepdim=True).clamp_min(1e-8)
        return self.out_proj(objects).masked_fill(empty.unsqueeze(-1), 0.0), masks
