"""Makes src/test/resources/model: python src/test/python/make_models.py

A whole model of Slot Attention whose parameters have the names and shapes of the checkpoints of HHousen's
object-discovery-pytorch, with random parameters: a checkpoint as Lightning writes it, images, and what the
model makes of them. Written for this project from the layout of those checkpoints and the paper's equations.
The noise that slots start from is that of java.util.Random(SEED), as the library draws it. Needs PyTorch and
numpy (made with PyTorch 2.13, on a CPU).
"""

import math
import pathlib

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

HERE = pathlib.Path(__file__).parents[1] / "resources" / "model"
SEED, SLOTS, DIM, HIDDEN, SIDE, GRID, ITERATIONS = 3, 3, 5, 6, 32, 2, 2


class JavaRandom:
    """The generator that java.util.Random is specified to be."""

    def __init__(self, seed):
        self.state = (seed ^ 0x5DEECE66D) & ((1 << 48) - 1)
        self.spare = None

    def bits(self, count):
        self.state = (self.state * 0x5DEECE66D + 0xB) & ((1 << 48) - 1)
        return self.state >> (48 - count)

    def unit(self):
        return ((self.bits(26) << 27) + self.bits(27)) * 2.0**-53

    def gaussian(self):
        if self.spare is not None:
            value, self.spare = self.spare, None
            return value
        while True:
            a, b = 2 * self.unit() - 1, 2 * self.unit() - 1
            s = a * a + b * b
            if 0 < s < 1:
                scale = math.sqrt(-2 * math.log(s) / s)
                self.spare = b * scale
                return a * scale


class Places(nn.Module):
    """Adds a linear map of [p, 1 - p] to each place of a map."""

    def __init__(self, side):
        super().__init__()
        self.dense = nn.Linear(4, DIM)
        line = torch.linspace(0, 1, side, dtype=torch.float64)
        p = torch.stack(torch.meshgrid(line, line, indexing="ij"), -1)
        self.register_buffer("grid", torch.cat([p, 1 - p], -1)[None])

    def forward(self, x):
        return x + self.dense(self.grid).movedim(3, 1)


class Slots(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm_inputs, self.norm_slots, self.norm_mlp = (nn.LayerNorm(DIM) for _ in range(3))
        self.project_q, self.project_k, self.project_v = (
            nn.Linear(DIM, DIM, bias=False) for _ in range(3)
        )
        self.gru = nn.GRUCell(DIM, DIM)
        self.mlp = nn.Sequential(nn.Linear(DIM, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, DIM))
        self.slot_mu = nn.Parameter(torch.randn(1, 1, DIM))
        self.slot_log_sigma = nn.Parameter(torch.randn(1, 1, DIM))

    def forward(self, x, noise):
        x = self.norm_inputs(x)
        k, v = self.project_k(x), self.project_v(x)
        slots = self.slot_mu + self.slot_log_sigma.exp() * noise
        # Implicit differentiation: one more iteration than configured.
        for _ in range(ITERATIONS + 1):
            q = self.project_q(self.norm_slots(slots)) / math.sqrt(DIM)
            attention = (k @ q.transpose(1, 2)).softmax(-1)  # (B, N, K)
            weights = attention + 1e-8
            weights = weights / weights.sum(1, keepdim=True)
            updates = weights.transpose(1, 2) @ v
            slots = self.gru(updates.flatten(0, 1), slots.flatten(0, 1)).view_as(slots)
            slots = slots + self.mlp(self.norm_mlp(slots))
        return slots, attention


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(
            *(
                nn.Sequential(nn.Conv2d(3 if i == 0 else DIM, DIM, 5, padding=2), nn.LeakyReLU())
                for i in range(4)
            )
        )
        self.encoder_pos_embedding = Places(SIDE)
        self.encoder_out_layer = nn.Sequential(
            nn.Linear(DIM, DIM), nn.LeakyReLU(), nn.Linear(DIM, DIM)
        )
        twice = dict(stride=2, padding=2, output_padding=1)
        self.decoder = nn.Sequential(
            *(
                nn.Sequential(nn.ConvTranspose2d(DIM, DIM, 5, **twice), nn.LeakyReLU())
                for _ in range(4)
            ),
            nn.Sequential(
                nn.ConvTranspose2d(DIM, DIM, 5, padding=2),
                nn.LeakyReLU(),
                nn.ConvTranspose2d(DIM, 4, 3, padding=1),
            ),
        )
        self.decoder_pos_embedding = Places(GRID)
        self.slot_attention = Slots()

    def forward(self, images, noise):
        x = self.encoder_pos_embedding(self.encoder(images))
        x = self.encoder_out_layer(x.flatten(2).transpose(1, 2))
        slots, attention = self.slot_attention(x, noise)
        b, k, d = slots.shape
        y = slots.reshape(b * k, d, 1, 1).expand(-1, -1, GRID, GRID)
        y = self.decoder(self.decoder_pos_embedding(y)).view(b, k, 4, SIDE, SIDE)
        masks = y[:, :, 3].softmax(1)
        return {
            "objects": slots,
            "feature_attributions": attention.transpose(1, 2),
            "slot_images": y[:, :, :3],
            "masks": masks,
            "reconstruction": (y[:, :, :3] * masks[:, :, None]).sum(1),
        }


def main():
    HERE.mkdir(exist_ok=True)
    torch.manual_seed(0)
    model = Model()
    for parameter in model.parameters():  # so that slots differ, and leaks count
        parameter.data *= 2
    random = JavaRandom(SEED)
    noise = torch.tensor(
        [[[random.gaussian() for _ in range(DIM)] for _ in range(SLOTS)]], dtype=torch.float64
    )
    model.double()
    images = torch.rand(2, 3, SIDE, SIDE, dtype=torch.float64)
    with torch.no_grad():
        out = model(2 * images - 1, noise.expand(2, -1, -1))
    np.savez(
        HERE / "object_discovery_pytorch.npz",
        images=images.numpy(),
        noise=noise.numpy(),
        **{name: value.numpy() for name, value in out.items()},
    )
    state = {"model." + name: value for name, value in model.state_dict().items()}
    torch.save({"epoch": 3, "state_dict": state}, HERE / "object_discovery_pytorch.ckpt")


if __name__ == "__main__":
    main()
