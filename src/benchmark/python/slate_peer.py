"""SLATE as PyTorch is usually written, for SlateSpeed, eager and compiled: a training step (forward and
backward, no update). Written anew from the specification.
"""
import math, torch
from torch import nn
import torch.nn.functional as F

import serving

class ConvBlock(nn.Module):
    def __init__(s, i, o, k, stride=1, pad=0):
        super().__init__()
        s.m = nn.Conv2d(i, o, k, stride, pad, bias=False)
        s.weight = nn.Parameter(torch.ones(o)); s.bias = nn.Parameter(torch.zeros(o))
        nn.init.kaiming_uniform_(s.m.weight, nonlinearity='relu')
    def forward(s, x):
        return F.relu(F.group_norm(s.m(x), 1, s.weight, s.bias))

def lin(i, o, bias=True, kaiming=False, gain=1.0):
    m = nn.Linear(i, o, bias)
    if kaiming: nn.init.kaiming_uniform_(m.weight, nonlinearity='relu')
    else: nn.init.xavier_uniform_(m.weight, gain)
    if bias: nn.init.zeros_(m.bias)
    return m

class DVAE(nn.Module):
    def __init__(s, v, c):
        super().__init__()
        s.encoder = nn.Sequential(ConvBlock(c, 64, 4, 4), *[ConvBlock(64, 64, 1) for _ in range(6)], nn.Conv2d(64, v, 1))
        s.decoder = nn.Sequential(ConvBlock(v, 64, 1), ConvBlock(64, 64, 3, 1, 1), ConvBlock(64, 64, 1), ConvBlock(64, 64, 1), ConvBlock(64, 256, 1), nn.PixelShuffle(2),
            ConvBlock(64, 64, 3, 1, 1), ConvBlock(64, 64, 1), ConvBlock(64, 64, 1), ConvBlock(64, 256, 1), nn.PixelShuffle(2), nn.Conv2d(64, c, 1))
        for m in (s.encoder[7], s.decoder[11]): nn.init.xavier_uniform_(m.weight); nn.init.zeros_(m.bias)

class MHA(nn.Module):
    def __init__(s, d, h, p, gain):
        super().__init__(); s.h = h
        s.proj_q = lin(d, d, False); s.proj_k = lin(d, d, False); s.proj_v = lin(d, d, False); s.proj_o = lin(d, d, False, gain=gain)
        s.drop = nn.Dropout(p)
    def forward(s, q, m, mask=None):
        B, T, D = q.shape; S = m.shape[1]
        q = s.proj_q(q).view(B, T, s.h, -1).transpose(1, 2); k = s.proj_k(m).view(B, S, s.h, -1).transpose(1, 2); v = s.proj_v(m).view(B, S, s.h, -1).transpose(1, 2)
        a = torch.matmul(q * (q.shape[-1] ** -0.5), k.transpose(-1, -2))
        if mask is not None: a = a.masked_fill(mask, float('-inf'))
        a = s.drop(F.softmax(a, -1))
        return s.drop(s.proj_o(torch.matmul(a, v).transpose(1, 2).reshape(B, T, -1)))

class Block(nn.Module):
    def __init__(s, L, d, h, p, n, first):
        super().__init__(); s.first = first; g = (3 * n) ** -0.5
        s.self_attn_layer_norm = nn.LayerNorm(d); s.self_attn = MHA(d, h, p, g)
        s.register_buffer('self_attn_mask', torch.triu(torch.ones(L, L, dtype=torch.bool), 1), persistent=False)
        s.encoder_decoder_attn_layer_norm = nn.LayerNorm(d); s.encoder_decoder_attn = MHA(d, h, p, g)
        s.ffn_layer_norm = nn.LayerNorm(d)
        s.ffn = nn.Sequential(lin(d, 4 * d, kaiming=True), nn.ReLU(), lin(4 * d, d, gain=g), nn.Dropout(p))
    def forward(s, x, m):
        T = x.shape[1]; mask = s.self_attn_mask[:T, :T]
        u = s.self_attn_layer_norm(x)
        x = (u if s.first else x) + s.self_attn(u, u, mask)
        x = x + s.encoder_decoder_attn(s.encoder_decoder_attn_layer_norm(x), m)
        return x + s.ffn(s.ffn_layer_norm(x))

class Dec(nn.Module):
    def __init__(s, n, L, d, h, p):
        super().__init__(); s.blocks = nn.ModuleList([Block(L, d, h, p, n, i == 0) for i in range(n)]); s.layer_norm = nn.LayerNorm(d)
    def forward(s, x, m):
        for b in s.blocks: x = b(x, m)
        return s.layer_norm(x)

class Iter(nn.Module):
    def __init__(s, D, E, hid, T, implicit):
        super().__init__(); s.T, s.implicit, s.E = T, implicit, E
        s.norm_inputs = nn.LayerNorm(D); s.norm_slots = nn.LayerNorm(E); s.norm_mlp = nn.LayerNorm(E)
        s.project_q = lin(E, E, False); s.project_k = lin(D, E, False); s.project_v = lin(D, E, False)
        s.gru = nn.GRUCell(E, E); nn.init.xavier_uniform_(s.gru.weight_ih); nn.init.orthogonal_(s.gru.weight_hh); nn.init.zeros_(s.gru.bias_ih); nn.init.zeros_(s.gru.bias_hh)
        s.mlp = nn.Sequential(lin(E, hid, kaiming=True), nn.ReLU(), lin(hid, E))
    def one(s, k, v, x):
        B, K, E = x.shape
        q = s.project_q(s.norm_slots(x)); a = F.softmax(torch.matmul(k, q.transpose(1, 2)), -1); w = a + 1e-8; w = w / w.sum(1, keepdim=True)
        u = torch.matmul(w.transpose(1, 2), v)
        x = s.gru(u.reshape(-1, E), x.reshape(-1, E)).view(B, K, E)
        return x + s.mlp(s.norm_mlp(x)), a
    def forward(s, x, slots):
        x = s.norm_inputs(x); k = s.project_k(x) * s.E ** -0.5; v = s.project_v(x)
        if s.implicit:
            with torch.no_grad():
                for _ in range(s.T): slots, a = s.one(k, v, slots)
            return s.one(k, v, slots.detach())
        for _ in range(s.T): slots, a = s.one(k, v, slots)
        return slots, a

class SA(nn.Module):
    def __init__(s, D, E, hid, T, implicit):
        super().__init__(); s.E = E
        s.slot_mu = nn.Parameter(torch.zeros(1, 1, E)); s.slot_log_sigma = nn.Parameter(torch.zeros(1, 1, E)); nn.init.xavier_uniform_(s.slot_mu); nn.init.xavier_uniform_(s.slot_log_sigma)
        s.layer_norm = nn.LayerNorm(D); s.mlp = nn.Sequential(lin(D, D, kaiming=True), nn.ReLU(), lin(D, D)); s.slot_attention = Iter(D, E, hid, T, implicit)
    def forward(s, x, noise):
        return s.slot_attention(s.mlp(s.layer_norm(x)), s.slot_mu + torch.exp(s.slot_log_sigma) * noise)

class Pos(nn.Module):
    def __init__(s, L, D, p):
        super().__init__(); s.dropout = nn.Dropout(p); s.pe = nn.Parameter(torch.zeros(1, L, D)); nn.init.trunc_normal_(s.pe)
    def forward(s, x): return s.dropout(x + s.pe[:, :x.shape[1]])

class Dict(nn.Module):
    def __init__(s, V, D):
        super().__init__(); s.dictionary = nn.Embedding(V, D); nn.init.normal_(s.dictionary.weight)

class Slate(nn.Module):
    def __init__(s, size, C, V, D, N, H, p, K, E, T, hid, implicit=False):
        super().__init__(); L = (size // 4) ** 2; s.K, s.E, s.L, s.V, s.side = K, E, L, V, size // 4
        s.dvae = DVAE(V, C); s.positional_encoder = Pos(1 + L, D, p); s.slot_attn = SA(D, E, hid, T, implicit)
        s.dictionary = Dict(V + 1, D); s.slot_proj = lin(E, D, False); s.tf_dec = Dec(N, L, D, H, p); s.out = lin(D, V, False)
    def explain(s, tokens, noise):
        rows = torch.cat([torch.zeros_like(tokens[:, :1]), tokens + 1], 1)
        e = s.positional_encoder(s.dictionary.dictionary(rows))
        slots, a = s.slot_attn(e[:, 1:], noise)
        pred = s.out(s.tf_dec(e[:, :-1], s.slot_proj(slots)))
        return -(F.log_softmax(pred, -1).gather(2, tokens[:, :, None])).sum() / tokens.shape[0], slots, a

    def forward(s, image, g1, g2, noise):
        """Cross entropy and squared error."""
        B = image.shape[0]
        lp = F.log_softmax(s.dvae.encoder(image), 1)
        mse = (image - s.dvae.decoder(F.softmax(lp + g1, 1))).square().sum() / B
        tokens = (lp + g2).argmax(1).detach().flatten(1)
        return s.explain(tokens, noise)[0], mse


class Steps:
    def __init__(s, request, arrays):
        serving.begin(request)
        s.device = request['device']
        s.model = Slate(*request['sizes']).to(s.device)
        s.model.load_state_dict(serving.tensors(arrays, 'parameters.'))
        inputs = serving.tensors(arrays, 'inputs.')
        s.inputs = [inputs[k].to(s.device) for k in ('images', 'codes', 'tokens', 'noise')]
        s.ways = {'eager': s.model, 'compile': serving.compiled(s.model)}

    def run(s, who, training):
        entropy, mse = s.ways[who](*s.inputs)
        (entropy + mse).backward()
        return entropy, mse

    def results(s, who):
        """Without dropout."""
        s.model.eval()
        s.model.zero_grad()
        entropy, mse = s.run(who, True)
        results = {'cross entropy': entropy, 'squared error': mse}
        results |= {'gradient of ' + k: v.grad for k, v in s.model.named_parameters()}
        results = {k: v.detach().cpu().numpy().copy() for k, v in results.items()}
        s.model.train()
        s.model.zero_grad()
        return results


if __name__ == '__main__':
    serving.serve(Steps)
