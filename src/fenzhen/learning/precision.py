"""The number format that training multiplies in: bf16 where the processor does so, else fp32.

Without its own instructions a processor emulates bf16: some forty times slower than fp32 on AVX2 (1 to 49 GFLOP/s).
"""

import torch

BF16 = ("amx_bf16", "avx512_bf16")


def working_type() -> torch.dtype:
    """bf16 where torch says that the processor has it; what is not known to have it trains in fp32."""
    can = torch.cpu.get_capabilities()
    return torch.bfloat16 if any(can.get(name, False) for name in BF16) else torch.float32
