"""The GPU, for who asks for it."""

from functools import cache

import torch

from mmxcli.errors import ModelError

FLASH = (8, 0)  # the compute capability from which on flash attention and bfloat16 products run
WIDEST = 256  # of a head that flash attention reads, in whole eights


def device_named(name: str) -> torch.device:
    """ "cpu" or "cuda". From now on convolutions are as exact as products are: float32 where it is asked for. Raises
    ModelError where torch finds no GPU that it can use."""
    if name != "cpu" and not torch.cuda.is_available():
        built = "finds none that it can use" if torch.version.cuda or torch.version.hip else "is built without one"
        raise ModelError(f"--device {name}: there is no GPU to use: torch {torch.__version__} {built}")
    torch.backends.cudnn.allow_tf32 = False
    return torch.device(name)


@cache
def memory_of(name: str) -> tuple[int, int]:
    """Bytes of the GPU's memory: free when this process asked first, since what mmx takes later is its own; and in all.
    Raises what `device_named` raises."""
    free, total = torch.cuda.mem_get_info(device_named(name))
    return free, total


def described(device: torch.device) -> str:
    """What computes there: results may differ in their last bits from one to the other."""
    if device.type == "cpu":
        return torch.backends.cpu.get_cpu_capability()
    return torch.cuda.get_device_name(device)


@cache
def has_flash(device: torch.device, dtype: torch.dtype, width: int) -> bool:
    """Whether torch's flash attention takes heads of this width there."""
    narrow = dtype in (torch.bfloat16, torch.float16)
    return narrow and width % 8 == 0 and width <= WIDEST and torch.cuda.get_device_capability(device) >= FLASH
