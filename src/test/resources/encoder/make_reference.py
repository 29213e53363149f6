"""Makes the reference tensors of this folder: python make_reference.py

Written for this project against the descriptions of the encoders. Needs PyTorch and numpy (made
with PyTorch 2.13, vision transformers with timm 1.0.29, on a CPU). The files are laid out as those in ../reference, see the README there.
"""

import json
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
    return torch.stack([rows, columns], -1).reshape(height * width, 2).to(like.dtype)


def as_features(feature_map):
    height, width = feature_map.shape[2:]
    return {
        "features": feature_map.flatten(2).transpose(1, 2),
        "positions": grid(height, width, feature_map),
    }


class ConvolutionalEncoder(nn.Module):
    def __init__(self, channels, strides, kernel_size):
        super().__init__()
        layers = []
        for before, after, stride in zip([3] + channels, channels, strides):
            layers += [nn.Conv2d(before, after, kernel_size, stride, kernel_size // 2), nn.ReLU()]
        self.layers = nn.Sequential(*layers)

    def forward(self, images):
        return as_features(self.layers(images))


class SoftPositionEmbed(nn.Module):
    def __init__(self, feature_dim):
        super().__init__()
        self.dense = nn.Linear(4, feature_dim)

    def forward(self, x, positions):
        return x + self.dense(torch.cat([positions, 1 - positions], -1))


class SlotAttentionEncoder(nn.Module):
    def __init__(self, backbone, hidden, feature_dim):
        super().__init__()
        self.backbone = ConvolutionalEncoder(**backbone)
        before = backbone["channels"][-1]
        self.positional_embedding = SoftPositionEmbed(before)
        self.norm = nn.LayerNorm(before)
        self.mlp = nn.Sequential(
            nn.Linear(before, hidden), nn.ReLU(), nn.Linear(hidden, feature_dim)
        )

    def forward(self, images):
        out = self.backbone(images)
        x = self.positional_embedding(out["features"], out["positions"])
        return {"features": self.mlp(self.norm(x)), "positions": out["positions"]}


class ResidualBlock(nn.Module):
    def __init__(self, before, width, after, stride, bottleneck):
        super().__init__()
        sizes = (
            [(before, width, 1, 1), (width, width, 3, stride), (width, after, 1, 1)]
            if bottleneck
            else [(before, width, 3, stride), (width, after, 3, 1)]
        )
        self.count = len(sizes)
        for i, (a, b, kernel, s) in enumerate(sizes, 1):
            setattr(self, f"conv{i}", nn.Conv2d(a, b, kernel, s, kernel // 2, bias=False))
            setattr(self, f"bn{i}", nn.BatchNorm2d(b))
        self.downsample = None
        if stride > 1 or before != after:
            self.downsample = nn.Sequential(
                nn.Conv2d(before, after, 1, stride, bias=False), nn.BatchNorm2d(after)
            )

    def forward(self, x):
        y = x
        for i in range(1, self.count + 1):
            y = getattr(self, f"bn{i}")(getattr(self, f"conv{i}")(y))
            if i < self.count:
                y = F.relu(y)
        return F.relu(y + (x if self.downsample is None else self.downsample(x)))


class ResNetEncoder(nn.Module):
    def __init__(self, bottleneck, width, blocks, stages, fixed_statistics):
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        self.stages = stages
        before = width
        for stage in range(stages):
            after = (4 if bottleneck else 1) * (width << stage)
            layer = []
            for i in range(blocks[stage]):
                stride = 2 if stage > 0 and i == 0 else 1
                layer.append(ResidualBlock(before, width << stage, after, stride, bottleneck))
                before = after
            setattr(self, f"layer{stage + 1}", nn.Sequential(*layer))
        self.fixed_statistics = fixed_statistics

    def forward(self, images):
        self.train(not self.fixed_statistics)
        x = self.maxpool(F.relu(self.bn1(self.conv1(images))))
        for stage in range(self.stages):
            x = getattr(self, f"layer{stage + 1}")(x)
        out = as_features(x)
        # What training leaves in the running statistics, of the first and of the last one.
        state = {k: v for k, v in self.state_dict().items() if "running" in k}
        names = list(state)
        for name in names[:2] + names[-2:]:
            out["after/" + name] = state[name].clone()
        return out


def vision_transformer(lastNorm, **sizes):
    """timm's own network."""
    from timm.models.vision_transformer import VisionTransformer

    class PatchTokens(VisionTransformer):
        def forward(self, images):
            x = self.patch_embed(images)
            x = self._pos_embed(x)
            x = self.norm(self.blocks(x))[:, self.num_prefix_tokens:]
            return {"features": x, "positions": grid(*self.patch_embed.grid_size, x)}

    network = PatchTokens(
        img_size=(sizes["height"], sizes["width"]),
        patch_size=sizes["patch"],
        embed_dim=sizes["dim"],
        depth=sizes["depth"],
        num_heads=sizes["heads"],
        mlp_ratio=sizes["hidden"] / sizes["dim"],
        reg_tokens=sizes["registers"],
        no_embed_class=not sizes["classPlace"],
        init_values=1e-5 if sizes["layerScale"] else None,
        num_classes=0,
    )
    if not lastNorm:
        network.norm = nn.Identity()
    return network


def make(name, kind, config, module, images, dtype):
    module = module.to(dtype)
    with torch.no_grad():
        for key, value in module.state_dict().items():
            if key.endswith("running_var"):
                value.copy_(0.5 + torch.rand(value.shape, dtype=torch.float64))
            elif key.endswith("running_mean"):
                value.copy_(0.3 * torch.randn(value.shape, dtype=torch.float64))
            elif value.is_floating_point() and value.dim() == 1:
                gain = 1.0 if (".bn" in "." + key or "norm" in key) and "weight" in key else 0.0
                value.copy_(gain + 0.3 * torch.randn(value.shape, dtype=torch.float64))
    arrays = {
        "param/" + k: v.clone()
        for k, v in module.state_dict().items()
        if not k.endswith("num_batches_tracked")
    }
    x = torch.randn(images, dtype=torch.float64).to(dtype).requires_grad_()
    arrays["in/images"] = x
    out = module(x)
    loss = 0
    for key, value in out.items():
        arrays["out/" + key] = value
        if value.requires_grad:
            cotangent = torch.randn(value.shape, dtype=torch.float64).to(dtype)
            arrays["cot/" + key] = cotangent
            loss = loss + (value * cotangent).sum()
    loss.backward()
    arrays["grad/in/images"] = x.grad
    for key, value in module.named_parameters():
        arrays["grad/param/" + key] = value.grad
    np.savez_compressed(
        HERE / (name + ".npz"),
        **{k: np.ascontiguousarray(v.detach().numpy()) for k, v in arrays.items()},
    )
    return {"name": name, "kind": kind, "config": config}


def main():
    cases = []

    def add(kind, name, images, config, dtype=torch.float32):
        torch.manual_seed(sum(map(ord, name)))
        module = (vision_transformer if kind == "VisionTransformer" else globals()[kind])(**config)
        cases.append(make(name, kind, config, module, images, dtype))

    plain = {"channels": [4, 5], "strides": [1, 1], "kernel_size": 5}
    strided = {"channels": [4, 6, 5], "strides": [2, 1, 2], "kernel_size": 3}
    add("ConvolutionalEncoder", "convolutional", (2, 3, 6, 7), plain)
    add("ConvolutionalEncoder", "convolutional_strided", (2, 3, 9, 8), strided)
    add("ConvolutionalEncoder", "convolutional_float64", (1, 3, 7, 5), strided, torch.float64)
    head = {"backbone": plain, "hidden": 7, "feature_dim": 6}
    add("SlotAttentionEncoder", "slot_attention", (2, 3, 6, 5), head)
    head = {"backbone": strided, "hidden": 5, "feature_dim": 5}
    add("SlotAttentionEncoder", "slot_attention_float64", (2, 3, 9, 7), head, torch.float64)

    basic = {"bottleneck": False, "width": 3, "blocks": [2, 1], "stages": 2}
    bottleneck = {"bottleneck": True, "width": 2, "blocks": [1, 2, 1], "stages": 2}
    fixed, free = {"fixed_statistics": True}, {"fixed_statistics": False}
    add("ResNetEncoder", "resnet_basic", (2, 3, 21, 18), {**basic, **free})
    add("ResNetEncoder", "resnet_bottleneck", (2, 3, 20, 17), {**bottleneck, **free})
    add("ResNetEncoder", "resnet_fixed", (2, 3, 20, 17), {**bottleneck, **fixed})
    add("ResNetEncoder", "resnet_float64", (2, 3, 17, 20), {**basic, **free}, torch.float64)

    small = {"height": 16, "width": 24, "patch": 8, "dim": 12, "depth": 2, "heads": 3, "hidden": 20, "registers": 0,
             "classPlace": True, "layerScale": False, "lastNorm": True}
    add("VisionTransformer", "vision_transformer", (2, 3, 16, 24), small)
    dino = {**small, "patch": 4, "registers": 2, "classPlace": False, "layerScale": True}
    add("VisionTransformer", "vision_transformer_registers", (2, 3, 16, 24), dino)
    scaled = {**small, "layerScale": True, "lastNorm": False}
    add("VisionTransformer", "vision_transformer_float64", (2, 3, 16, 24), scaled, torch.float64)
    (HERE / "cases.json").write_text(json.dumps({"cases": cases}, indent=1) + "\n")


if __name__ == "__main__":
    main()
