"""Makes src/test/resources/weights/slate_*: python src/test/python/make_slate_checkpoints.py

Checkpoints of SLATE as its programs write them with torch.save, with made-up parameters and small
sizes: the authors' best_model.pt and checkpoint.pt.tar, and the Lightning checkpoint of HHousen's
object-discovery-pytorch, whose slot attention has flat names. Only names, shapes and what stands
around them are theirs, by the table of names of the specification; no code of theirs runs here.
slate_values.npz holds the same parameters by the authors' names. Needs PyTorch and numpy (made with
PyTorch 2.13, on a CPU).
"""

import pathlib
import re

import numpy as np
import torch

HERE = pathlib.Path(__file__).parents[1] / "resources" / "weights"

# C, size, V, D, E, hidden of the slots' perceptron, blocks
CHANNELS, SIZE, VOCABULARY, DIM, SLOT_DIM, HIDDEN, BLOCKS = 3, 8, 5, 4, 6, 3, 2
PLACES = (SIZE // 4) ** 2


def shapes():
    """The authors' names in the order of their modules, masks included."""
    names = {}

    def norm(name, *size):
        names[name + ".weight"] = size
        names[name + ".bias"] = size

    def block(name, outputs, inputs, kernel):
        norm(name, outputs)
        names[name + ".m.weight"] = (outputs, inputs, kernel, kernel)

    block("dvae.encoder.0", 64, CHANNELS, 4)
    for i in range(1, 7):
        block(f"dvae.encoder.{i}", 64, 64, 1)
    names["dvae.encoder.7.weight"] = (VOCABULARY, 64, 1, 1)
    names["dvae.encoder.7.bias"] = (VOCABULARY,)
    block("dvae.decoder.0", 64, VOCABULARY, 1)
    for i, outputs, kernel in [
        (1, 64, 3), (2, 64, 1), (3, 64, 1), (4, 256, 1), (6, 64, 3), (7, 64, 1), (8, 64, 1), (9, 256, 1)
    ]:
        block(f"dvae.decoder.{i}", outputs, 64, kernel)
    names["dvae.decoder.11.weight"] = (CHANNELS, 64, 1, 1)
    names["dvae.decoder.11.bias"] = (CHANNELS,)
    names["positional_encoder.pe"] = (1, PLACES + 1, DIM)
    names["slot_attn.slot_mu"] = (1, 1, SLOT_DIM)
    names["slot_attn.slot_log_sigma"] = (1, 1, SLOT_DIM)
    norm("slot_attn.layer_norm", DIM)
    for i in (0, 2):
        names[f"slot_attn.mlp.{i}.weight"] = (DIM, DIM)
        names[f"slot_attn.mlp.{i}.bias"] = (DIM,)
    inner = "slot_attn.slot_attention."
    norm(inner + "norm_inputs", DIM)
    norm(inner + "norm_slots", SLOT_DIM)
    norm(inner + "norm_mlp", SLOT_DIM)
    names[inner + "project_q.weight"] = (SLOT_DIM, SLOT_DIM)
    names[inner + "project_k.weight"] = (SLOT_DIM, DIM)
    names[inner + "project_v.weight"] = (SLOT_DIM, DIM)
    for kind in ("ih", "hh"):
        names[inner + f"gru.weight_{kind}"] = (3 * SLOT_DIM, SLOT_DIM)
    for kind in ("ih", "hh"):
        names[inner + f"gru.bias_{kind}"] = (3 * SLOT_DIM,)
    names[inner + "mlp.0.weight"] = (HIDDEN, SLOT_DIM)
    names[inner + "mlp.0.bias"] = (HIDDEN,)
    names[inner + "mlp.2.weight"] = (SLOT_DIM, HIDDEN)
    names[inner + "mlp.2.bias"] = (SLOT_DIM,)
    names["dictionary.dictionary.weight"] = (VOCABULARY + 1, DIM)
    names["slot_proj.weight"] = (DIM, SLOT_DIM)
    for n in range(BLOCKS):
        one = f"tf_dec.blocks.{n}."
        norm(one + "self_attn_layer_norm", DIM)
        names[one + "self_attn_mask"] = "mask"
        for attention in ("self_attn", "encoder_decoder_attn"):
            if attention != "self_attn":
                norm(one + attention + "_layer_norm", DIM)
            for p in "qkvo":
                names[one + f"{attention}.proj_{p}.weight"] = (DIM, DIM)
        norm(one + "ffn_layer_norm", DIM)
        names[one + "ffn.0.weight"] = (4 * DIM, DIM)
        names[one + "ffn.0.bias"] = (4 * DIM,)
        names[one + "ffn.2.weight"] = (DIM, 4 * DIM)
        names[one + "ffn.2.bias"] = (DIM,)
    norm("tf_dec.layer_norm", DIM)
    names["out.weight"] = (VOCABULARY, DIM)
    return names


def flat(name):
    """The name of the second implementation."""
    name = re.sub(r"^slot_attn\.(layer_norm|mlp)\.", r"slot_attn.input_\1.", name)
    return "model." + name.replace("slot_attn.slot_attention.", "slot_attn.")


def main():
    torch.manual_seed(0)
    state = {}
    for name, shape in shapes().items():
        if shape == "mask":
            state[name] = torch.triu(torch.ones(PLACES, PLACES, dtype=torch.bool), diagonal=1)
        else:
            # Each its own pattern, which compresses well.
            size = torch.Size(shape).numel()
            state[name] = ((torch.arange(size) % 11 + len(state)) / 16).reshape(shape)
    np.savez_compressed(HERE / "slate_values.npz", **{n: v.numpy() for n, v in state.items()})
    torch.save(state, HERE / "slate_best_model.pt")
    # Two groups with rates of their own; a step of Adam, so that there are moments.
    learnt = {n: torch.nn.Parameter(v.clone()) for n, v in state.items() if v.is_floating_point()}
    groups = [
        {"params": [p for n, p in learnt.items() if "dvae" in n], "lr": 3e-4},
        {"params": [p for n, p in learnt.items() if "dvae" not in n], "lr": 1e-4},
    ]
    optimizer = torch.optim.Adam(groups)
    # Few of them: the file stays small, and every kind of entry is there.
    for parameter in list(learnt.values())[-3:]:
        parameter.grad = torch.randn_like(parameter)
    optimizer.step()
    torch.save(
        {
            "epoch": 3,
            "best_val_loss": 12.5,
            "best_epoch": 2,
            "model": state,
            "optimizer": optimizer.state_dict(),
            "stagnation_counter": 1,
            "lr_decay_factor": 0.5,
        },
        HERE / "slate_checkpoint.pt.tar",
    )
    torch.save(
        {
            "epoch": 3,
            "global_step": 100,
            "pytorch-lightning_version": "1.7.7",
            "state_dict": {flat(name): value for name, value in state.items()},
            "loops": {"fit_loop": {"state_dict": {}}},
            "callbacks": {},
            "optimizer_states": [optimizer.state_dict()],
            "lr_schedulers": [],
        },
        HERE / "slate_lightning.ckpt",
    )


if __name__ == "__main__":
    main()
