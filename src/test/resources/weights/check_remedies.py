"""Runs the Python that errors give for files that are refused: python check_remedies.py MESSAGES

Needs torch. MESSAGES has a line for each file: its path, a tab, and the message of the error of StateDict.read, as
TorchCheckpointTest and TorchFileTest expect it. A dict of plain tensors must come out of each.
"""

import pathlib
import sys

import torch

PLAIN = {torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int8, torch.uint8,
         torch.bool}


def tensors(value):
    if torch.is_tensor(value):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from tensors(item)


def check(path, code):
    new_path = path.with_suffix(".new")
    exec(code, {"torch": torch, "path": path, "new_path": new_path})
    found = list(tensors(torch.load(new_path, weights_only=True)))
    new_path.unlink()
    assert found, "no tensors"
    for tensor in found:
        assert tensor.dtype in PLAIN and tensor.layout == torch.strided and not tensor.is_quantized, tensor


if __name__ == "__main__":
    for line in open(sys.argv[1]):
        name, message = line.rstrip("\n").split("\t", 1)
        if "Python: " in message:
            check(pathlib.Path(name), message.split("Python: ", 1)[1])
            print("runs:", name)
        else:
            print("no line:", name, message)
