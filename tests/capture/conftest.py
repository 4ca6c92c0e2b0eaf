"""What the tests of capture share."""

from tests.capture.machine.fake_nvml import cards

__all__ = ["cards"]
