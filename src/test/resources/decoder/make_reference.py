"""Makes the reference tensors of this folder: python make_reference.py

Written for this project against the descriptions of the decoders. Needs PyTorch and numpy (made
with PyTorch 2.13, on a CPU). The files are laid out as those in ../reference, see the README there.
"""

import json
import math
import pathlib

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

HERE = pathlib.Path(__file__).parent


def grid(height, width, like):
    rows, columns = torch.meshgrid(
        torch.linspace(0, 1, height, dtype=torch.float64),
        torch.linspace(0, 1, width, dtype=torch.float64),
        indexing="ij",
    )
    return torch.stack([rows, columns], -1).to(like.dtype)


def compose(channels):
    """(B, K, 4, H, W) to the three outputs of a decoder."""
    colours, alpha = channels.split([3, 1], 2)
    masks = alpha.softmax(1)
    return {
        "reconstruction": (colours * masks).sum(1),
        "slot_images": colours,
        "masks": masks.squeeze(2),
    }


class SoftPositionEmbed(nn.Module):
    def __init__(self, feature_dim):
        super().__init__()
        self.dense = nn.Linear(4, feature_dim)

    def forward(self, x, positions):
        return x + self.dense(torch.cat([positions, 1 - positions], -1))


class SpatialBroadcastDecoder(nn.Module):
    """The slots are broadcast to the grid and all layers run on it, as the papers describe it."""

    def __init__(self, slot_dim, height, width, layers):
        super().__init__()
        self.size = height, width
        self.positional_embedding = SoftPositionEmbed(slot_dim)
        decoder = []
        before = slot_dim
        for layer in layers:
            channels, kernel, stride = layer["channels"], layer["kernel"], layer["stride"]
            decoder += [
                nn.ConvTranspose2d(
                    before, channels, kernel, stride, kernel // 2, output_padding=stride - 1
                )
                if layer["transposed"]
                else nn.Conv2d(before, channels, kernel, stride, kernel // 2),
                nn.ReLU(),
            ]
            before = channels
        self.decoder = nn.Sequential(*decoder[:-1])

    def forward(self, slots):
        x = slots.flatten(0, 1)[:, None, None, :].expand(-1, *self.size, -1)
        x = self.positional_embedding(x, grid(*self.size, slots))
        x = self.decoder(x.permute(0, 3, 1, 2))
        return compose(x.unflatten(0, slots.shape[:2]))


class ImagePatchDecoder(nn.Module):
    def __init__(self, slot_dim, height, width, patch_size, hidden, hidden_layers, frequencies):
        super().__init__()
        self.size = height // patch_size, width // patch_size
        self.patch_size = patch_size
        self.frequencies = frequencies
        self.slot = nn.Linear(slot_dim, hidden)
        self.grid = nn.Linear(4 + 4 * frequencies, hidden, bias=False)
        mlp = []
        for _ in range(hidden_layers):
            mlp += [nn.Linear(hidden, hidden), nn.ReLU()]
        self.mlp = nn.Sequential(*mlp, nn.Linear(hidden, 4 * patch_size**2))

    def forward(self, slots):
        p = grid(*self.size, slots).flatten(0, 1)
        code = [p, 1 - p]
        for k in range(1, self.frequencies + 1):
            code += [torch.sin(math.pi * k * p), torch.cos(math.pi * k * p)]
        z = F.relu(self.slot(slots)[:, :, None] + self.grid(torch.cat(code, -1)))
        patches = self.mlp(z).transpose(2, 3).unflatten(3, self.size)  # (B, K, 4 P P, h, w)
        return compose(F.pixel_shuffle(patches, self.patch_size))


def make(name, kind, config, module, slots, dtype):
    module = module.to(dtype)
    with torch.no_grad():
        for value in module.parameters():
            # Larger than PyTorch starts them, so that slots differ at each pixel.
            scale = 0.3 if value.dim() == 1 else 1.5 / math.sqrt(value[0].numel())
            value.copy_(scale * torch.randn(value.shape, dtype=torch.float64))
    arrays = {"param/" + k: v.clone() for k, v in module.state_dict().items()}
    x = torch.randn(slots, dtype=torch.float64).to(dtype).requires_grad_()
    arrays["in/slots"] = x
    loss = 0
    for key, value in module(x).items():
        cotangent = torch.randn(value.shape, dtype=torch.float64).to(dtype)
        arrays["out/" + key] = value
        arrays["cot/" + key] = cotangent
        loss = loss + (value * cotangent).sum()
    loss.backward()
    arrays["grad/in/slots"] = x.grad
    for key, value in module.named_parameters():
        arrays["grad/param/" + key] = value.grad
    np.savez_compressed(
        HERE / (name + ".npz"),
        **{k: np.ascontiguousarray(v.detach().numpy()) for k, v in arrays.items()},
    )
    return {"name": name, "kind": kind, "config": config}


def convolution(channels, kernel):
    return {"transposed": False, "channels": channels, "kernel": kernel, "stride": 1}


def transposed(channels, kernel, stride):
    return {"transposed": True, "channels": channels, "kernel": kernel, "stride": stride}


def main():
    cases = []

    def add(kind, name, slots, config, dtype=torch.float32):
        torch.manual_seed(sum(map(ord, name)))
        module = globals()[kind](**config)
        cases.append(make(name, kind, config, module, slots, dtype))

    def broadcast(name, slots, height, width, layers, dtype=torch.float32):
        config = {"slot_dim": slots[2], "height": height, "width": width, "layers": layers}
        add("SpatialBroadcastDecoder", "broadcast_" + name, slots, config, dtype)

    clevr = [transposed(5, 5, 2), transposed(4, 5, 2), transposed(5, 5, 1), transposed(4, 3, 1)]
    small = [convolution(5, 5), convolution(6, 5), convolution(4, 3)]
    broadcast("clevr", (2, 3, 6), 2, 3, clevr)
    broadcast("clevr_float64", (1, 2, 6), 3, 2, clevr[1:], torch.float64)
    broadcast("tetrominoes", (2, 3, 6), 8, 9, small)
    broadcast("tetrominoes_float64", (2, 2, 5), 7, 6, small, torch.float64)
    broadcast("smallest_grid", (1, 2, 5), 5, 5, small)
    broadcast("smaller_than_kernel", (1, 2, 5), 4, 7, small)
    broadcast("one_layer", (1, 3, 5), 3, 4, [convolution(4, 1)])
    broadcast("mixed", (1, 2, 5), 4, 3, [convolution(4, 3), transposed(4, 3, 3)])

    patches = {"slot_dim": 6, "height": 6, "width": 9, "patch_size": 3, "hidden": 8}
    two, none = {"hidden_layers": 2, "frequencies": 4}, {"hidden_layers": 0, "frequencies": 0}
    one = {"hidden_layers": 1, "frequencies": 2}
    add("ImagePatchDecoder", "patches", (2, 3, 6), {**patches, **one})
    add("ImagePatchDecoder", "patches_deep", (1, 2, 6), {**patches, **two})
    add("ImagePatchDecoder", "patches_shallow", (1, 2, 6), {**patches, **none})
    add("ImagePatchDecoder", "patches_float64", (2, 2, 6), {**patches, **one}, torch.float64)
    (HERE / "cases.json").write_text(json.dumps({"cases": cases}, indent=1) + "\n")


if __name__ == "__main__":
    main()
