"""Small files in the formats of other toolkits, written with torch, numpy and PIL as those toolkits write them.

usage: python reference/interop/make_golden.py test/golden/interop
"""
import json
import os
import sys

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.nn import functional as F

OUT = sys.argv[1]
RNG = np.random.default_rng(5)
SIDE = 8


class Block(nn.Module):
    def __init__(self, cin, cout, stride):
        super().__init__()
        self.bn1 = nn.BatchNorm2d(cin)
        self.conv1 = nn.Conv2d(cin, cout, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(cout)
        self.conv2 = nn.Conv2d(cout, cout, 3, 1, 1, bias=False)
        if stride != 1 or cin != cout:
            self.shortcut = nn.Sequential(nn.Conv2d(cin, cout, 1, stride, bias=False))

    def forward(self, x):
        even = F.relu(self.bn1(x))
        shortcut = self.shortcut(even) if hasattr(self, "shortcut") else x
        return self.conv2(F.relu(self.bn2(self.conv1(even)))) + shortcut


class PreAct(nn.Module):
    def __init__(self, width, classes):
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 3, 1, 1, bias=False)
        cin = width
        for i in range(4):
            cout = width * 2**i
            blocks = [Block(cin, cout, 1 if i == 0 else 2), Block(cout, cout, 1)]
            setattr(self, f"layer{i + 1}", nn.Sequential(*blocks))
            cin = cout
        self.linear = nn.Linear(cin, classes)

    def forward(self, x):
        x = self.conv1(x)
        for i in range(4):
            x = getattr(self, f"layer{i + 1}")(x)
        return self.linear(x.mean((2, 3)))


def picture():
    return RNG.integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)


def part(folder, name, labels, poisoned, to, used):
    """The state that BackdoorBench's data set returns; keys are numpy's integers, as its loop makes them."""
    indicator = np.zeros(len(labels))
    data = {}
    stored = {}
    for index in np.asarray(poisoned):
        label = labels[index]
        pixels = picture()
        os.makedirs(f"{folder}/{name}/{label}", exist_ok=True)
        Image.fromarray(pixels).save(f"{folder}/{name}/{label}/{index}.png")
        path = f"/home/somebody/record/badnet/{name}/{label}/{index}.png"
        data[index] = {"path": path, "other_info": [to(label), label]}
        indicator[index] = 1
        stored[int(index)] = pixels
    place = f"/home/somebody/record/badnet/{name}"
    container = {"save_folder_path": place, "data_dict": data, "save_file_format": ".png"}
    state = {
        "bd_data_container": container,
        "getitem_all": True,
        "getitem_all_switch": False,
        "original_index_array": np.asarray(used),
        "poison_indicator": indicator,
        "save_folder_path": place,
    }
    return state, stored


def backdoorbench():
    folder = f"{OUT}/backdoorbench"
    os.makedirs(folder, exist_ok=True)
    torch.manual_seed(5)
    net = PreAct(2, 4)
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.running_mean, -0.5, 0.5)
            nn.init.uniform_(module.running_var, 0.5, 2)
            nn.init.uniform_(module.weight, 0.5, 2)
            nn.init.uniform_(module.bias, -0.5, 0.5)
    net.eval()
    train, _ = part(folder, "bd_train_dataset", [0, 1, 2, 3, 1, 2], [1, 5], lambda _: 0, range(6))
    test, stored = part(folder, "bd_test_dataset", [3, 0, 1], [0, 2], lambda _: 0, [0, 2])
    result = {
        "model_name": "preactresnet18",
        "num_classes": 4,
        "model": net.state_dict(),
        "data_path": "/home/somebody/data/cifar10",
        "img_size": [SIDE, SIDE, 3],
        "clean_data": "cifar10",
        "bd_train": train,
        "bd_test": test,
    }
    torch.save(result, f"{folder}/attack_result.pt")
    defended = {"model_name": "preactresnet18", "num_classes": 4, "model": {"conv1.weight": net.conv1.weight}}
    torch.save(defended, f"{folder}/defense_result.pt")
    torch.save(train["poison_indicator"], f"{folder}/train_poison_index_list.pickle")
    x = torch.from_numpy(np.stack(list(stored.values()))).permute(0, 3, 1, 2).float() / 255
    mean = torch.tensor([0.4914, 0.4822, 0.4465])[:, None, None]
    std = torch.tensor([0.247, 0.243, 0.261])[:, None, None]
    with torch.no_grad():
        logits = net((x - mean) / std)
    with open(f"{folder}/expected.json", "w") as file:
        json.dump({"indices": list(stored), "logits": logits.tolist()}, file)


def backdoor_toolbox():
    folder = f"{OUT}/backdoor-toolbox"
    os.makedirs(folder, exist_ok=True)
    pixels = torch.from_numpy(np.stack([picture() for _ in range(5)])).permute(0, 3, 1, 2)
    torch.save(pixels.float() / 255, f"{folder}/imgs")
    torch.save(torch.LongTensor([0, 3, 0, 1, 2]), f"{folder}/labels")
    torch.save([0, 2], f"{folder}/poison_indices")
    torch.save([4], f"{folder}/cover_indices")
    with open(f"{folder}/expected.json", "w") as file:
        json.dump({"sum": [int(image.long().sum()) for image in pixels], "first": pixels[1, 2, 3].tolist()}, file)


def trojanzoo():
    folder = f"{OUT}/trojanzoo"
    os.makedirs(folder, exist_ok=True)
    mark = RNG.integers(0, 256, (4, 3, 2)).astype(np.float32) / 255
    mark[3] = [[1, 1], [0, 1], [0.6, 1]]
    np.save(f"{folder}/square_white_tar2_alpha0.80_mark(3,2).npy", mark)
    pixels = np.round(mark.transpose(1, 2, 0) * 255).astype(np.uint8)
    Image.fromarray(pixels, "RGBA").save(f"{folder}/square_white_tar2_alpha0.80_mark(3,2).png")
    with open(f"{folder}/expected.json", "w") as file:
        json.dump({"mark": mark.tolist()}, file)


def trojai():
    folder = f"{OUT}/trojai/id-00000001"
    for name, files in {
        "clean_example_data": ["class_0_example_0", "class_1_example_0", "class_2_example_0"],
        "poisoned_example_data": ["class_1_trigger_0_example_0", "class_2_trigger_0_example_1"],
    }.items():
        os.makedirs(f"{folder}/{name}", exist_ok=True)
        for file in files:
            Image.fromarray(picture()).save(f"{folder}/{name}/{file}.png")
    triggers = [{"source_classes": [1, 2], "target_class": 0, "type": "polygon"}]
    config = {"model_architecture": "resnet18", "number_classes": 3, "poisoned": True, "triggers": triggers}
    with open(f"{folder}/config.json", "w") as file:
        json.dump(config, file)
    with open(f"{folder}/ground_truth.csv", "w") as file:
        file.write("1")
    with open(f"{OUT}/trojai/METADATA.csv", "w") as file:
        file.write("model_name,ground_truth,model_architecture,number_classes\n")
        file.write('id-00000000,0,"resnet18, wide",5\nid-00000001,1,resnet18,3\n')
    torch.save(nn.Sequential(nn.Flatten(), nn.Linear(3 * SIDE * SIDE, 2)), f"{folder}/model.pt")


backdoorbench()
backdoor_toolbox()
trojanzoo()
trojai()
