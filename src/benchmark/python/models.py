"""The whole models of Models.java as a user of PyTorch would write them; names of parameters as in the library."""
import torch
from torch import nn

from modules import SlotAttention


def grid(height, width):
    """Places from 0 to 1 and what is left to 1, (H, W, 4)."""
    y, x = torch.meshgrid(torch.linspace(0, 1, height), torch.linspace(0, 1, width), indexing="ij")
    places = torch.stack([y, x], dim=-1)
    return torch.cat([places, 1 - places], dim=-1)


class PositionalEmbedding(nn.Module):
    def __init__(self, dim, height, width):
        super().__init__()
        self.dense = nn.Linear(4, dim)
        self.register_buffer("grid", grid(height, width), persistent=False)

    def forward(self):
        return self.dense(self.grid)


class Backbone(nn.Module):
    def __init__(self, channels):
        super().__init__()
        layers, before = [], 3
        for _ in range(4):
            layers += [nn.Conv2d(before, channels, 5, padding=2), nn.ReLU()]
            before = channels
        self.layers = nn.Sequential(*layers)


class Encoder(nn.Module):
    def __init__(self, channels, side):
        super().__init__()
        self.backbone = Backbone(channels)
        self.positional_embedding = PositionalEmbedding(channels, side, side)
        self.norm = nn.LayerNorm(channels)
        self.mlp = nn.Sequential(nn.Linear(channels, channels), nn.ReLU(), nn.Linear(channels, channels))

    def forward(self, images):
        x = self.backbone.layers(images).permute(0, 2, 3, 1)
        x = (x + self.positional_embedding()).flatten(1, 2)
        return self.mlp(self.norm(x))


class Decoder(nn.Module):
    """CLEVR's with transposed convolutions from side / 16, or three plain ones of 32 channels at full size."""

    def __init__(self, dim, side, transposed):
        super().__init__()
        self.side = side // 16 if transposed else side
        self.positional_embedding = PositionalEmbedding(dim, self.side, self.side)
        layers = []
        if transposed:
            for _ in range(4):
                layers += [nn.ConvTranspose2d(64, 64, 5, 2, padding=2, output_padding=1), nn.ReLU()]
            layers += [nn.ConvTranspose2d(64, 64, 5, padding=2), nn.ReLU(), nn.ConvTranspose2d(64, 4, 3, padding=1)]
        else:
            before = dim
            for _ in range(3):
                layers += [nn.Conv2d(before, 32, 5, padding=2), nn.ReLU()]
                before = 32
            layers += [nn.Conv2d(before, 4, 3, padding=1)]
        self.decoder = nn.Sequential(*layers)

    def forward(self, slots):
        b, k, d = slots.shape
        x = slots.reshape(b * k, 1, 1, d).expand(-1, self.side, self.side, -1) + self.positional_embedding()
        x = self.decoder(x.permute(0, 3, 1, 2))
        rgb, alpha = x.reshape(b, k, 4, *x.shape[2:]).split([3, 1], dim=2)
        return (rgb * alpha.softmax(dim=1)).sum(dim=1)


class PatchDecoder(nn.Module):
    def __init__(self, dim, features, patches, hidden):
        super().__init__()
        self.pos_embed = nn.Parameter(torch.zeros(1, patches, dim))
        layers, before = [], dim
        for width in hidden:
            layers += [nn.Linear(before, width), nn.ReLU()]
            before = width
        self.decoder = nn.Sequential(*layers, nn.Linear(before, features + 1))

    def forward(self, slots):
        x = self.decoder(slots.unsqueeze(2) + self.pos_embed)
        features, alpha = x[..., :-1], x[..., -1:]
        return (features * alpha.softmax(dim=1)).sum(dim=1)


class Grouping(nn.Module):
    def __init__(self, features):
        super().__init__()
        self.slot_attention = SlotAttention(features, 64, 64, 3)

    def forward(self, x, slots):
        return self.slot_attention(x, slots)[0]


class Model(nn.Module):
    """Images, or features where there is no encoder, and what slots start from, to (reconstruction, slots)."""

    def __init__(self, name):
        super().__init__()
        if name == "dinosaur":
            self.encoder = None
            self.grouping = Grouping(384)
            self.decoder = PatchDecoder(64, 384, 784, [1024] * 3)
            return
        clevr = name.startswith("clevr")
        side = {"clevr-64": 64, "clevr-128": 128, "tetrominoes": 35, "multi-dsprites": 64}[name]
        self.encoder = Encoder(64 if clevr else 32, side)
        self.grouping = Grouping(64 if clevr else 32)
        self.decoder = Decoder(64, side, clevr)

    def forward(self, seen, slots, training):
        features = seen if self.encoder is None else self.encoder(seen)
        slots = self.grouping(features, slots)
        return self.decoder(slots), slots
