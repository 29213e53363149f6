"""Writes refused_* of this folder: python make_refused.py

Needs torch. Checkpoints that hold tensors of other kinds, and objects with tensors inside, beside weights: what
TorchRemedyTest expects to be refused, with the Python that mends it; check_remedies.py runs that.
"""

import pathlib

import torch
from torch import nn

HERE = pathlib.Path(__file__).parent


def save(name, value, **options):
    torch.save(value, HERE / f"refused_{name}.pt", **options)


def linear():
    module = nn.Linear(2, 1)
    with torch.no_grad():
        module.weight.fill_(0.5)
        module.bias.fill_(1)
    return module


ONES = torch.ones(2)

if __name__ == "__main__":
    save("module_in_dict", {"epoch": 3, "model": linear()})
    save("module_legacy", linear(), _use_new_zipfile_serialization=False)
    save("dict_legacy", {"w": ONES}, _use_new_zipfile_serialization=False)
    save("quantized", {"w": ONES, "q": torch.quantize_per_tensor(torch.tensor([1.0, 2]), 0.5, 0, torch.qint8)})
    save("sparse_csr", {"w": ONES, "s": torch.eye(2).to_sparse_csr()})
    save("conjugate", {"state_dict": {"w": ONES, "c": torch.tensor([1 + 2j, 3 - 4j]).conj()}})
    save("uint16", {"w": ONES, "u": torch.tensor([1, 2], dtype=torch.uint16)})
    save("int16", {"w": ONES, "u": torch.tensor([1, 2], dtype=torch.int16)})
    save("meta", {"w": ONES, "m": torch.ones(2, device="meta")})
    save("negative", {"i": torch.tensor([1 + 2j, 3 - 4j]).conj().imag, "half": torch.view_as_complex(
        torch.tensor([[1, 2], [3, -4]], dtype=torch.float64)).conj().imag})
    from argparse import Namespace
    save("namespace_with_tensors", {"epoch": 3, "all": Namespace(lr=0.1, w=ONES, net=None)})
    save("namespace_with_module", Namespace(lr=0.1, best={"net": linear()}))
