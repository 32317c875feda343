"""Make the profile that the package brings for its demo, from one of EfficientNet-Lite0 over Tiny ImageNet.

    filtag profile --network efficientnet-lite0 --images train.tar -o full.npz
    python scripts/make_demo_profile.py full.npz

keeps the means alone, in half precision, and says so in the metadata.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from filtag_kg import load_profile, save_profile

TARGET = Path(__file__).resolve().parent.parent / "filtag_kg" / "demo" / "efficientnet-lite0.npz"


def main() -> None:
    """Write the demo's profile."""
    full = load_profile(Path(sys.argv[1]))
    made = "means alone, rounded to float16, by scripts/make_demo_profile.py"
    mean = full.mean.astype(np.float16)
    save_profile(replace(full, mean=mean, variance=None, metadata={**full.metadata, "reduced": made}), TARGET)
    print(f"{TARGET}: {TARGET.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
