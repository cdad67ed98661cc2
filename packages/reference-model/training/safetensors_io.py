"""Reading and writing safetensors: the header's length, the header as JSON, the data."""

import json
import struct

import numpy as np

DTYPES = {"F16": np.float16, "F32": np.float32, "I32": np.int32}
NAMES = {np.dtype(dtype): name for name, dtype in DTYPES.items()}


def save(path, arrays):
    header, offset = {}, 0
    for name, array in arrays.items():
        end = offset + array.nbytes
        shape = list(array.shape)
        header[name] = {"dtype": NAMES[array.dtype], "shape": shape, "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text)
        for array in arrays.values():
            f.write(np.ascontiguousarray(array).tobytes())


def load(path):
    with open(path, "rb") as f:
        data = f.read()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    header.pop("__metadata__", None)

    def array(entry):
        begin, end = (8 + length + offset for offset in entry["data_offsets"])
        return np.frombuffer(data[begin:end], DTYPES[entry["dtype"]]).reshape(entry["shape"])

    return {name: array(entry) for name, entry in header.items()}
