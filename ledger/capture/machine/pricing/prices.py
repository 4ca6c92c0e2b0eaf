"""The price catalogue that ships: approximate, dated, and to be replaced by the policy."""

from ledger.capture.machine.pricing.catalogue import Catalogue

PRICES = Catalogue(
    name="list price, order of magnitude (default 2026-11-01)",
    currency="USD",
    devices={
        "B200": 6.00,
        "GH200": 2.50,
        "H200": 4.50,
        "H100": 3.50,
        "A100 80GB": 2.75,
        "A100": 2.20,
        "A100 40GB": 2.20,
        "L40S": 1.85,
        "L40": 1.20,
        "L4": 0.80,
        "A40": 0.90,
        "A10G": 1.00,
        "A10": 0.90,
        "RTX 6000 Ada": 1.00,
        "RTX A6000": 0.80,
        "RTX A5000": 0.50,
        "RTX A4000": 0.35,
        "T4": 0.53,
        "V100": 2.50,
        "P100": 1.46,
        "RTX 5090": 0.90,
        "RTX 4090": 0.60,
        "RTX 3090": 0.40,
    },
    cpu_core=0.05,
)
"""Approximate on-demand prices per hour of one GPU with its share of the host, or of one CPU core, rounded from
public price lists: AWS EC2 and Google Compute Engine for data-centre GPUs and cores, RunPod and Lambda for
workstation and consumer ones. They differ several times over between providers: set your own in `policy.yaml`."""
