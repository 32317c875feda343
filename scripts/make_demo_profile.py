"""Make the demo's profile from a full profile of EfficientNet-Lite0 on Tiny ImageNet.

    filtag profile --network efficientnet-lite0 --images train.tar -o full.npz
    python scripts/make_demo_profile.py full.npz

Tiny ImageNet is needed for the full profile. Only the means are kept, in half precision; the metadata say so.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np

from filtag_kg import load_profile, save_profile

TARGET = Path(__file__).resolve().parent.parent / "filtag_kg" / "demo" / "efficientnet-lite0.npz"


def main() -> None:
    """Write the demo's profile."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("profile", type=Path, metavar="full.npz")
    full = load_profile(parser.parse_args().profile)
    reduced = "means alone, rounded to float16, by scripts/make_demo_profile.py"
    mean = full.mean.astype(np.float16)
    save_profile(replace(full, mean=mean, variance=None, metadata={**full.metadata, "reduced": reduced}), TARGET)
    print(f"{TARGET}: {TARGET.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
