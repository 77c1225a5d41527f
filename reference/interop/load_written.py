"""Loads what writeBackdoorBench wrote, with torch, and prints what is in it as JSON.

usage: python reference/interop/load_written.py FOLDER {numpy,tensor}
"""
import json
import sys

import numpy as np
import torch

FOLDER, ARRAYS = sys.argv[1:]

result = torch.load(f"{FOLDER}/attack_result.pt", weights_only=ARRAYS == "tensor")
indicator = torch.load(f"{FOLDER}/train_poison_index_list.pickle", weights_only=ARRAYS == "tensor")
train = result["bd_train"]
wanted = np.ndarray if ARRAYS == "numpy" else torch.Tensor
assert isinstance(train["original_index_array"], wanted), type(train["original_index_array"])
items = train["bd_data_container"]["data_dict"]
poisoned = np.flatnonzero(np.asarray(train["poison_indicator"]))
# As BackdoorBench looks an image up: the key is numpy's integer.
found = [items[index]["other_info"] for index in poisoned]
model = {name: [list(value.shape), float(value.double().sum())] for name, value in result["model"].items()}
summary = {
    "keys": list(result),
    "model": model,
    "other_info": found,
    "poisoned": poisoned.tolist(),
    "listed": np.flatnonzero(np.asarray(indicator)).tolist(),
    "img_size": result["img_size"],
}
print(json.dumps(summary))
