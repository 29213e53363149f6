"""PyTorch as it is usually written, for DiffusionSpeed, eager and compiled: a U-Net on slots in the form of
diffusers, with its names, written anew from the specification. A pass is a whole sampling, with training a
step with Adam. A request to load has the network's sizes, and "coefficients" of the steps of a sampling.
"""
import math, time
import torch
from torch import nn
import torch.nn.functional as F

import serving


class Residual(nn.Module):
    def __init__(s, i, o, e, groups):
        super().__init__()
        s.norm1 = nn.GroupNorm(groups, i); s.conv1 = nn.Conv2d(i, o, 3, 1, 1)
        s.time_emb_proj = nn.Linear(e, o)
        s.norm2 = nn.GroupNorm(groups, o); s.conv2 = nn.Conv2d(o, o, 3, 1, 1)
        if i != o: s.conv_shortcut = nn.Conv2d(i, o, 1)
        s.same = i == o
    def forward(s, x, e):
        h = s.conv1(F.silu(s.norm1(x)))
        h = h + s.time_emb_proj(F.silu(e))[:, :, None, None]
        h = s.conv2(F.silu(s.norm2(h)))
        return (x if s.same else s.conv_shortcut(x)) + h


class Attention(nn.Module):
    def __init__(s, c, m, heads):
        super().__init__(); s.h = heads
        s.to_q = nn.Linear(c, c, bias=False); s.to_k = nn.Linear(m, c, bias=False); s.to_v = nn.Linear(m, c, bias=False)
        s.to_out = nn.ModuleList([nn.Linear(c, c)])
    def forward(s, x, m):
        split = lambda y: y.view(y.shape[0], y.shape[1], s.h, -1).transpose(1, 2)
        y = F.scaled_dot_product_attention(split(s.to_q(x)), split(s.to_k(m)), split(s.to_v(m)))
        return s.to_out[0](y.transpose(1, 2).reshape(x.shape))


class Gate(nn.Module):
    def __init__(s, c):
        super().__init__(); s.proj = nn.Linear(c, 8 * c)
    def forward(s, x):
        a, b = s.proj(x).chunk(2, -1)
        return a * F.gelu(b)


class Feed(nn.Module):
    def __init__(s, c):
        super().__init__(); s.net = nn.ModuleList([Gate(c), nn.Identity(), nn.Linear(4 * c, c)])
    def forward(s, x):
        return s.net[2](s.net[0](x))


class Block(nn.Module):
    def __init__(s, c, d, heads):
        super().__init__()
        s.norm1 = nn.LayerNorm(c); s.attn1 = Attention(c, c, heads)
        s.norm2 = nn.LayerNorm(c); s.attn2 = Attention(c, d, heads)
        s.norm3 = nn.LayerNorm(c); s.ff = Feed(c)
    def forward(s, y, slots):
        n = s.norm1(y); y = s.attn1(n, n) + y
        y = s.attn2(s.norm2(y), slots) + y
        return s.ff(s.norm3(y)) + y


class Transformer(nn.Module):
    def __init__(s, c, d, heads, groups):
        super().__init__()
        s.norm = nn.GroupNorm(groups, c, 1e-6); s.proj_in = nn.Conv2d(c, c, 1)
        s.transformer_blocks = nn.ModuleList([Block(c, d, heads)]); s.proj_out = nn.Conv2d(c, c, 1)
    def forward(s, x, slots):
        b, c, h, w = x.shape
        y = s.proj_in(s.norm(x)).permute(0, 2, 3, 1).reshape(b, h * w, c)
        y = s.transformer_blocks[0](y, slots)
        return s.proj_out(y.reshape(b, h, w, c).permute(0, 3, 1, 2).contiguous()) + x


class Resize(nn.Module):
    def __init__(s, c, stride):
        super().__init__(); s.conv = nn.Conv2d(c, c, 3, stride, 1); s.twice = stride == 1
    def forward(s, x):
        return s.conv(F.interpolate(x, scale_factor=2.0, mode='nearest') if s.twice else x)


class Level(nn.Module):
    def __init__(s, ins, c, e, o, attends, resize, up):
        super().__init__(); g = o['groups']
        s.resnets = nn.ModuleList([Residual(i, c, e, g) for i in ins])
        s.attentions = nn.ModuleList([Transformer(c, o['slot'], o['heads'][str(c)], g) for i in ins] if attends else [])
        if resize: setattr(s, 'upsamplers' if up else 'downsamplers', nn.ModuleList([Resize(c, 1 if up else 2)]))
    def stage(s, j, h, e, slots):
        h = s.resnets[j](h, e)
        return s.attentions[j](h, slots) if len(s.attentions) else h


class Middle(nn.Module):
    def __init__(s, c, e, o):
        super().__init__()
        s.resnets = nn.ModuleList([Residual(c, c, e, o['groups']) for _ in range(2)])
        s.attentions = nn.ModuleList([Transformer(c, o['slot'], o['heads'][str(c)], o['groups'])])


class Time(nn.Module):
    def __init__(s, c):
        super().__init__(); s.linear_1 = nn.Linear(c, 4 * c); s.linear_2 = nn.Linear(4 * c, 4 * c)
    def forward(s, x):
        return s.linear_2(F.silu(s.linear_1(x)))


class UNet(nn.Module):
    def __init__(s, o):
        super().__init__(); w = o['widths']; n = len(w); e = 4 * w[0]; s.w = w
        s.conv_in = nn.Conv2d(o['channels'], w[0], 3, 1, 1); s.time_embedding = Time(w[0])
        kept = [w[0]]; c = w[0]; s.down_blocks = nn.ModuleList(); s.up_blocks = nn.ModuleList()
        for i in range(n):
            ins = []
            for _ in range(o['blocks']): ins.append(c); c = w[i]; kept.append(c)
            if i < n - 1: kept.append(c)
            s.down_blocks.append(Level(ins, c, e, o, o['attention'][i], i < n - 1, False))
        s.mid_block = Middle(c, e, o)
        for i in reversed(range(n)):
            ins = []
            for _ in range(o['blocks'] + 1): ins.append(c + kept.pop()); c = w[i]
            s.up_blocks.append(Level(ins, c, e, o, o['attention'][i], i > 0, True))
        s.conv_norm_out = nn.GroupNorm(o['groups'], c); s.conv_out = nn.Conv2d(c, o['channels'], 3, 1, 1)
    def forward(s, z, t, slots):
        half = s.w[0] // 2
        f = torch.exp(-math.log(10000) * torch.arange(half, dtype=torch.float32, device=t.device) / half)
        angle = t[:, None].float() * f[None]
        e = s.time_embedding(torch.cat([angle.cos(), angle.sin()], 1))
        h = s.conv_in(z); kept = [h]
        for level in s.down_blocks:
            for j in range(len(level.resnets)):
                h = level.stage(j, h, e, slots); kept.append(h)
            if hasattr(level, 'downsamplers'):
                h = level.downsamplers[0](h); kept.append(h)
        m = s.mid_block
        h = m.resnets[1](m.attentions[0](m.resnets[0](h, e), slots), e)
        for level in s.up_blocks:
            for j in range(len(level.resnets)):
                h = level.stage(j, torch.cat([h, kept.pop()], 1), e, slots)
            if hasattr(level, 'upsamplers'): h = level.upsamplers[0](h)
        return s.conv_out(F.silu(s.conv_norm_out(h)))


class Subject:
    def __init__(s, request, arrays):
        serving.begin(request)
        s.device = request['device']
        # Of one thread its processor time, which other programs do not change.
        s.clock = time.thread_time if request['threads'] == 1 and s.device == 'cpu' else time.perf_counter
        s.given = {k: v.to(s.device) for k, v in serving.tensors(arrays, 'inputs.').items()}
        s.rows = [(torch.full_like(s.given['t'], int(t)), a, b) for t, a, b in request['coefficients']]
        s.ways, s.nets, s.adams = {}, {}, {}
        for who in ('eager', 'compile'):
            net = UNet(request)
            net.load_state_dict(serving.tensors(arrays, 'parameters.'))
            s.nets[who] = net.to(s.device)
            s.ways[who] = serving.compiled(net) if who == 'compile' else net
            s.adams[who] = torch.optim.Adam(net.parameters(), 1e-3)

    def predict(s, who):
        return s.ways[who](s.given['z'], s.given['t'], s.given['slots'])

    def sample(s, who):
        with torch.no_grad():
            x = s.given['z']
            for t, a, b in s.rows: x = a * x + b * s.ways[who](x, t, s.given['slots'])
            return x

    def backward(s, who):
        (s.predict(who) - s.given['noise']).square().mean().backward()

    def run(s, who, training):
        if not training: return s.sample(who)
        s.backward(who)
        s.adams[who].step(); s.adams[who].zero_grad()

    def results(s, who):
        with torch.no_grad(): results = {'prediction': s.predict(who), 'samples': s.sample(who)}
        s.backward(who)
        results |= {'gradient of ' + k: p.grad for k, p in s.nets[who].named_parameters()}
        results = {k: v.detach().cpu().numpy().copy() for k, v in results.items()}
        s.adams[who].zero_grad()
        return results


if __name__ == '__main__':
    serving.serve(Subject)
