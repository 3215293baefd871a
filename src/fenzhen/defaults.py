"""Where the shipped default files are: in a wheel beside this module, in a checkout in the folder of their owner.

`data/taxonomy.yaml` and `serving/policy.yaml` are edited by people and belong to top-level folders; the wheel
carries copies in `fenzhen/defaults/` (see `force-include` in pyproject.toml).
"""

from pathlib import Path

from fenzhen.errors import FenzhenError

_PACKAGE = Path(__file__).resolve().parent
CHECKOUT = _PACKAGE.parents[1]
_OWNERS = {"taxonomy.yaml": "data", "policy.yaml": "serving"}


def default_file(name: str) -> Path:
    """Path of a shipped default file. Raises FenzhenError if the installation lacks it."""
    packaged = _PACKAGE / "defaults" / name
    if packaged.is_file():
        return packaged
    in_checkout = CHECKOUT / _OWNERS[name] / name
    if in_checkout.is_file():
        return in_checkout
    raise FenzhenError(
        f"{name} is neither at {packaged} nor at {in_checkout}; reinstall fenzhen or run from a checkout"
    )
