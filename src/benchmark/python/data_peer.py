"""PyTorch's DataLoader on the files of DataSpeed.java, as a user would read them: PNG by Pillow, HDF5 by h5py,
TFRecord by gzip and protobuf (whose runtime is in C); checksums of records are not looked at.

Requests and answers are one JSON object a line:
  {"do": "load", "folder", "form", ...}   -> {}                  which files; writes deflated ones anew
  {"do": "batch", "file"}                 -> {}                  writes the first batch in the order of the file
  {"do": "epoch", "workers"}              -> {"ms", "pictures"}  goes through all once, shuffled
Workers stay from epoch to epoch.
"""
import gzip
import json
import os
import random
import struct
import sys
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset, IterableDataset, get_worker_info

torch.set_num_threads(1)


def fitted(image, mask, side):
    """The square in the middle, resized; as Pillow's images."""
    width, height = image.size
    cut = min(width, height)
    left, top = (width - cut) // 2, (height - cut) // 2
    box = (left, top, left + cut, top + cut)
    if image.size != (cut, cut):
        image, mask = image.crop(box), mask.crop(box)
    if cut != side:
        image = image.resize((side, side), Image.Resampling.BILINEAR)
        mask = mask.resize((side, side), Image.Resampling.NEAREST)
    return np.array(image), np.array(mask)


def tensors(image, mask):
    """(3, H, W) in [0, 1] and (H * W) of int64, from bytes (H, W, 3) and labels (H, W)."""
    image = torch.from_numpy(image).permute(2, 0, 1).contiguous().float().div_(255)
    return image, torch.from_numpy(mask).long().flatten()


def sized(image, mask, side):
    if image.shape[:2] != (side, side):
        image, mask = fitted(Image.fromarray(image), Image.fromarray(mask), side)
    return tensors(image, mask)


class Pictures(Dataset):
    def __init__(self, folder, side):
        self.files = sorted((folder / "images").iterdir())
        self.masks = folder / "masks"
        self.side = side

    def __len__(self):
        return len(self.files)

    def __getitem__(self, index):
        file = self.files[index]
        image = Image.open(file).convert("RGB")
        return tensors(*fitted(image, Image.open(self.masks / file.name), self.side))


class Hdf5(Dataset):
    def __init__(self, path, side):
        import h5py

        self.path, self.side, self.file = path, side, None
        with h5py.File(path) as file:
            self.size = len(file["image"])

    def __len__(self):
        return self.size

    def __getitem__(self, index):
        if self.file is None:  # each worker has its own
            import h5py

            self.file = h5py.File(self.path)
        return sized(self.file["image"][index], self.file["mask"][index].argmax(0).astype(np.uint8), self.side)


def example_class():
    """tf.train.Example without TensorFlow, and without an object of Python for each of its many strings."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    file = descriptor_pb2.FileDescriptorProto(name="example.proto", package="tf", syntax="proto3")
    feature = file.message_type.add(name="Feature")
    feature.field.add(name="bytes_list", number=1, label=1, type=12)  # the list's own bytes
    features = file.message_type.add(name="Features")
    entry = features.nested_type.add(name="FeatureEntry")
    entry.options.map_entry = True
    entry.field.add(name="key", number=1, label=1, type=9)
    entry.field.add(name="value", number=2, label=1, type=11, type_name=".tf.Feature")
    features.field.add(name="feature", number=1, label=3, type=11, type_name=".tf.Features.FeatureEntry")
    example = file.message_type.add(name="Example")
    example.field.add(name="features", number=1, label=1, type=11, type_name=".tf.Features")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("tf.Example"))


class TfRecords(IterableDataset):
    """Parts are shared out over workers; each scene is drawn from a buffer of the next ones."""

    def __init__(self, request, shuffled):
        self.parts = sorted(Path(request["folder"]).glob("*.tfrecords"))
        self.request, self.shuffled = request, shuffled

    def records(self):
        worker = get_worker_info()
        for part in self.parts[worker.id::worker.num_workers] if worker else self.parts:
            with gzip.open(part) as file:
                while header := file.read(12):
                    yield file.read(struct.unpack("<Q", header[:8])[0])
                    file.read(4)

    def scenes(self):
        size, example = self.request, example_class()
        masks = (size["entities"], size["height"], size["width"])
        for record in self.records():
            feature = example.FromString(record).features.feature
            image = self.values(feature["image"]).reshape(*masks[1:], 3)
            mask = self.values(feature["mask"])
            labels = mask.reshape(*masks[1:], masks[0]).argmax(2) if size["last"] else mask.reshape(masks).argmax(0)
            yield sized(image, labels.astype(np.uint8), size["side"])

    @staticmethod
    def values(feature):
        """Of strings of one byte: a tag, the length 1, the byte."""
        return np.ascontiguousarray(np.frombuffer(feature.bytes_list, np.uint8).reshape(-1, 3)[:, 2])

    def __iter__(self):
        held = []
        for scene in self.scenes():
            if not self.shuffled:
                yield scene
                continue
            held.append(scene)
            if len(held) == self.request["buffer"]:
                yield self.drawn(held)
        while held:
            yield self.drawn(held)

    @staticmethod
    def drawn(held):
        at = random.randrange(len(held))
        held[at], held[-1] = held[-1], held[at]
        return held.pop()


class Files:
    def __init__(self, request):
        self.request = request
        self.folder = Path(request["folder"])
        self.loaders = {}
        if request["form"] == "deflated":
            self.deflate()

    def deflate(self):
        """As multi_object_datasets_torch writes them: a chunk for each scene."""
        import h5py

        with h5py.File(self.folder / "plain.h5") as plain, h5py.File(self.folder / "deflated.h5", "w") as file:
            for name in ("image", "mask"):
                array = plain[name]
                made = file.create_dataset(
                    name, array.shape, np.uint8, chunks=(1, *array.shape[1:]), compression="gzip")
                for i in range(len(array)):
                    made[i] = array[i]

    def data(self, shuffled):
        form, side = self.request["form"], self.request["side"]
        if form == "png":
            return Pictures(self.folder, side)
        if form == "tfrecord":
            return TfRecords(self.request, shuffled)
        return Hdf5(self.folder / ("plain.h5" if form == "hdf5" else "deflated.h5"), side)

    def loader(self, workers, shuffled):
        data = self.data(shuffled)
        return DataLoader(
            data,
            self.request["batch"],
            shuffle=shuffled if isinstance(data, Dataset) and not isinstance(data, IterableDataset) else None,
            num_workers=workers,
            persistent_workers=workers > 0)

    def batch(self, file):
        images, masks = next(iter(self.loader(0, False)))
        np.savez(file, images=images.numpy(), masks=masks.numpy())

    def epoch(self, workers):
        begin = time.perf_counter()
        if workers not in self.loaders:
            self.loaders[workers] = self.loader(workers, True)
        pictures = sum(len(images) for images, _ in self.loaders[workers])
        return {"ms": (time.perf_counter() - begin) * 1e3, "pictures": pictures}


def main():
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    files = None
    for line in sys.stdin:
        request = json.loads(line)
        answer = {}
        try:
            if request["do"] == "load":
                files = Files(request)
            elif request["do"] == "batch":
                files.batch(request["file"])
            else:
                answer = files.epoch(request["workers"])
        except Exception as e:  # told to the one who asked
            answer = {"error": f"{type(e).__name__}: {e}".strip().splitlines()[0]}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
