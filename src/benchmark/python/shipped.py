"""The models that come with the library as a user of PyTorch would write them; names of parameters as in the
library's files."""
import math

import torch
from torch import nn
from torch.nn import functional as F


def waves(t, frequencies):
    angles = [t * (k * math.pi / 2) for k in range(1, frequencies + 1)]
    return torch.cat([t] + [f(angle) for angle in angles for f in (torch.sin, torch.cos)], dim=-1)


class Encoder(nn.Module):
    """What a pixel sees around it, where it is, and both together."""

    def __init__(self, side, stride, channels):
        super().__init__()
        self.conv1 = nn.Conv2d(3, channels, 5, stride, padding=2)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv3 = nn.Conv2d(channels, channels, 3, padding=1)
        self.norm = nn.LayerNorm(channels)
        self.content1, self.content2 = nn.Linear(channels, 64), nn.Linear(64, 48)
        self.place = nn.Linear(10, 16)
        self.joint1, self.joint2 = nn.Linear(64, 96), nn.Linear(96, 64)
        centres = (torch.arange(0, side, stride) + 0.5) / side
        places = torch.stack(torch.meshgrid(centres, centres, indexing="ij"), dim=-1).flatten(0, 1)
        self.register_buffer("places", places, persistent=False)
        t = 2 * places - 1
        code = torch.cat([waves(t[:, :1], 2), waves(t[:, 1:], 2)], dim=1)
        self.register_buffer("code", code, persistent=False)

    def forward(self, images):
        x = F.relu(self.conv3(F.relu(self.conv2(F.relu(self.conv1(images))))))
        x = self.norm(x.flatten(2).transpose(1, 2))
        c = self.content2(F.relu(self.content1(x)))
        p = self.place(self.code).expand(len(c), -1, -1)
        both = torch.cat([c, p], dim=2)
        return torch.cat([both, self.joint2(F.relu(self.joint1(both)))], dim=2), self.places


class FeedForward(nn.Module):
    def __init__(self, hidden):
        super().__init__()
        self.module = nn.Sequential(nn.LayerNorm(64), nn.Linear(64, hidden), nn.ReLU(), nn.Linear(hidden, 64))

    def forward(self, s):
        return s + self.module(s)


class Relative(nn.Module):
    def __init__(self, dim, frequencies):
        super().__init__()
        self.frequencies = frequencies
        self.features = nn.Linear(128, dim)
        self.positions = nn.Linear(2 * (1 + 2 * frequencies), dim, bias=False)
        self.output = nn.Linear(dim, 64)

    def places(self, offsets):
        return self.positions(waves(4 * offsets, self.frequencies))


class Grouping(nn.Module):
    """Invariant Slot Attention: slots have places, and see features from there."""

    def __init__(self, options):
        super().__init__()
        self.iterations, self.training_iterations = options["iterations"], options["trainingIterations"]
        self.eps = options["eps"]
        self.to_q = nn.Linear(64, 64, bias=False)
        self.to_k, self.to_v = nn.Linear(128, 64, bias=False), nn.Linear(128, 64, bias=False)
        self.gru = nn.GRUCell(64, 64)
        self.norm_input, self.norm_slots = nn.LayerNorm(128), nn.LayerNorm(64)
        self.log_scale = nn.Parameter(torch.zeros(()))
        self.to_scale, self.to_direction = nn.Linear(64, 1), nn.Linear(64, 2)
        self.relative = Relative(options["relativeDim"], options["frequencies"])
        self.displacement = nn.Linear(4, 64)
        self.ff_mlp = FeedForward(options["hidden"])

    def attend(self, keys, places, s, p, empty):
        z = self.norm_slots(s)
        d = 2 * (places - p.unsqueeze(2))
        near = (self.to_scale(z) - 2 * self.log_scale).exp() / 2 * d.square().sum(dim=3)
        side = (d * self.to_direction(z).unsqueeze(2)).sum(dim=3)
        logits = self.to_q(z) @ keys - near + side
        if empty is None:
            return logits.softmax(dim=1)
        empty = empty.unsqueeze(2)
        return logits.masked_fill(empty, -torch.inf).softmax(dim=1).masked_fill(empty, 0)

    def forward(self, x, places, s, p, guess, empty, training):
        x = self.norm_input(x)
        seen = (self.to_k(x) / 8).transpose(1, 2), self.to_v(x), self.relative.features(x).unsqueeze(1)
        if not training:
            return self.iterate(self.iterations, seen, places, s, p, guess, empty)
        # Gradients of the last iteration alone.
        with torch.no_grad():
            s, p = self.iterate(self.training_iterations - 1, seen, places, s, p, guess, empty)
        return self.iterate(1, seen, places, s, p, None, empty)

    def iterate(self, times, seen, places, s, p, guess, empty):
        b, k, d = s.shape
        keys, values, features = seen
        for i in range(times):
            guessed = i == 0 and guess is not None
            a = guess if guessed else self.attend(keys, places, s, p, empty)
            w = a + self.eps
            w = w / w.sum(dim=2, keepdim=True)
            centre = w @ places
            moved = torch.zeros_like(centre) if guessed else 2 * (centre - p)
            h = F.relu(features + self.relative.places(places - centre.unsqueeze(2)))
            u = w @ values + self.relative.output((w.unsqueeze(2) @ h).squeeze(2))
            u = u + self.displacement(torch.cat([moved, moved.abs()], dim=2))
            s = self.gru(u.reshape(b * k, d), s.reshape(b * k, d)).reshape(b, k, d)
            s, p = self.ff_mlp(s), centre
        return s, p


class Decoder(nn.Module):
    """A shape around the slot's place, of one colour."""

    def __init__(self, side, hidden, frequencies):
        super().__init__()
        self.frequencies, code = frequencies, 1 + 2 * frequencies
        self.shift, self.gain, self.offset = nn.Linear(64, 2), nn.Linear(64, hidden), nn.Linear(64, hidden)
        self.row, self.column = nn.Linear(code, hidden), nn.Linear(code, hidden)
        self.hidden, self.alpha, self.colour = nn.Linear(hidden, hidden), nn.Linear(hidden, 1), nn.Linear(64, 3)
        self.register_buffer("centres", (torch.arange(side) + 0.5) / side, persistent=False)

    def code(self, s, p, axis, first, stride):
        d = 2 * (self.centres[first::stride] - p[:, :, axis:axis + 1]) - self.shift(s)[:, :, axis:axis + 1]
        return waves(2 * d.unsqueeze(3), self.frequencies)  # (B, K, S, 1 + 2 L)

    def forward(self, s, p, empty, first, stride):
        gain, offset = 1 + self.gain(s).unsqueeze(2), self.offset(s).unsqueeze(2)
        y = (self.row(self.code(s, p, 0, first[0], stride)) * gain + offset).unsqueeze(3)
        x = (self.column(self.code(s, p, 1, first[1], stride)) * gain).unsqueeze(2)
        a = self.alpha(F.relu(self.hidden(F.relu(y + x)))).squeeze(4)
        if empty is not None:
            a = a.masked_fill(empty[:, :, None, None], -3e38)
        return torch.einsum("bkc,bkhw->bchw", self.colour(s).sigmoid(), a.softmax(dim=1))


def stick_breaking(x, uniform, slots, variance, least):
    """Attributions (B, K, N) and empty slots (B, K) from directions of features (B, N, F)."""
    x = F.normalize(x, dim=-1)
    log_scope = x.new_zeros(x.shape[:2])
    log_seeds = uniform.clamp_min(1e-8).log()
    images = torch.arange(len(x), device=x.device)
    masks = []
    for _ in range(slots):
        centre = x[images, (log_scope + log_seeds).argmax(dim=1)].unsqueeze(1)
        log_alpha = (-(centre - x).square().sum(dim=2) / variance).clamp_min(math.log(1e-8))
        masks.append((log_scope + log_alpha).exp())
        log_scope = log_scope + (1 - log_alpha.exp()).clamp_min(1e-8).log()
    masks = torch.stack(masks, dim=1)
    return masks, masks.amax(dim=2) < least


class Model(nn.Module):
    """Images (B, 3, H, W) in [0, 1] to (reconstruction, slots), by the configuration that the library hands over.

    What slots start from is places (B, K, 2), or uniform draws (B, N) for pixels of like colours. In training pixels
    are made from a first row and column on; without them it is a prediction.
    """

    def __init__(self, configuration):
        super().__init__()
        side, self.slots = configuration["imageHeight"], configuration["slots"]
        encoder, decoder = configuration["encoder"], configuration["decoder"]
        self.encoder = Encoder(side, encoder["stride"], encoder["channels"])
        self.conditioning = nn.Module()
        self.conditioning.register_buffer("start", torch.zeros(64))
        self.grouping = Grouping(configuration["grouping"])
        self.decoder, self.stride = Decoder(side, decoder["hidden"], decoder["frequencies"]), decoder["trainingStride"]
        self.colours = configuration["conditioning"].get("stride")  # None where slots start from a grid

    def forward(self, images, start, first):
        training = first is not None
        pixels = (first, self.stride) if training else ((0, 0), 1)
        x, places = self.encoder(images)
        s = self.conditioning.start.expand(len(images), self.slots, -1)
        if self.colours is None:
            s, p = self.grouping(x, places, s, start, None, None, training)
            return self.decoder(s, p, None, *pixels), s
        angles = images[:, :, ::self.colours, ::self.colours].flatten(2).transpose(1, 2) * (math.pi / 2)
        colours = torch.cat([angles.sin(), angles.cos()], dim=2)
        guess, empty = stick_breaking(colours, start, self.slots, 0.02 * math.pi ** 2 / 12, 0.5)
        s, p = self.grouping(x, places, s, s.new_zeros(*s.shape[:2], 2), guess, empty, training)
        return self.decoder(s, p, empty, *pixels), s
