"""Makes src/test/resources/distance/inception_*.pt and inception.npz:
python src/test/python/make_inception_likes.py

Networks that take and give what clean-fid's Inception-v3 does, with random weights and one
convolution: the real one cannot be distributed. As with the real file the inner network is saved
from a module whose forward takes a boolean too. Needs PyTorch, numpy and Pillow (made with PyTorch
2.13, Pillow 12.3, on a CPU).
"""

import pathlib
import tempfile

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

HERE = pathlib.Path(__file__).parents[1] / "resources" / "distance"
FEATURES = 2048


class Layers(nn.Module):
    def __init__(self, maps: bool, features: int):
        super().__init__()
        self.conv = nn.Conv2d(3, features, 1)
        self.maps = maps

    def forward(self, x: Tensor) -> Tensor:
        # the convolution commutes with the mean; quadrants tell left from right
        quadrants = nn.functional.adaptive_avg_pool2d(x, 2)
        y = torch.relu(self.conv(quadrants)).mean((2, 3), keepdim=True)
        return y if self.maps else y.flatten(1)


class Base(nn.Module):
    def __init__(self, layers: nn.Module):
        super().__init__()
        self.layers = layers

    def forward(self, x: Tensor, return_features: bool = False) -> Tensor:
        y = self.layers(x)
        return y if return_features else y.sum(1)


def saved(name, maps, features):
    torch.manual_seed(3)
    layers = Layers(maps, features)
    with tempfile.TemporaryDirectory() as folder:
        file = str(pathlib.Path(folder) / "base.pt")
        torch.jit.script(Base(layers)).save(file)
        torch.jit.load(file).layers.save(str(HERE / name))
    return layers


def resized(image):
    planes = [
        Image.fromarray(image[:, :, c].astype(np.float32), mode=None).resize(
            (299, 299), resample=Image.Resampling.BICUBIC
        )
        for c in range(3)
    ]
    return np.stack([np.clip(np.asarray(p), 0, 255) for p in planes])


layers = saved("inception_vectors.pt", False, FEATURES)
saved("inception_maps.pt", True, FEATURES)
saved("inception_narrow.pt", False, 16)
rng = np.random.default_rng(5)
images = {"wide": rng.integers(0, 256, (20, 33, 3)), "high": rng.integers(0, 256, (40, 12, 3))}
images = {name: image.astype(np.uint8) for name, image in images.items()}
x = torch.tensor(np.stack([resized(i) for i in images.values()]))
with torch.no_grad():
    features = layers((x - 128) / 128)
np.savez_compressed(HERE / "inception.npz", features=features.numpy(), **images)
