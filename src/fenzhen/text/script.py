"""Traditional → simplified by single characters, from a table made with OpenCC's t2s and shipped with the package.

A character table is idempotent, needs no library at run time and answers the same after every OpenCC release. It
does not know phrases: 乾隆 becomes 干隆, and 著 (which 著名 needs) stays.
`python -m fenzhen.text.script` remakes the file.
"""

import unicodedata
from functools import lru_cache
from pathlib import Path

TABLE_FILE = Path(__file__).parent / "dict" / "t2s.txt"
_RANGES = ((0x3400, 0x4DC0), (0x4E00, 0xA000), (0x20000, 0x2A6E0))
_EXTRA = {"妳": "你", "祂": "他", "牠": "它"}  # OpenCC keeps these; buyers mean the plain word


def build() -> dict[str, str]:
    """The table character → character; needs `opencc` (Apache-2.0), a development dependency."""
    import opencc

    chars = [chr(cp) for low, high in _RANGES for cp in range(low, high)]
    done = opencc.OpenCC("t2s").convert("\n".join(chars)).split("\n")
    step = {a: unicodedata.normalize("NFKC", b) for a, b in zip(chars, done, strict=True) if a != b}
    step |= _EXTRA
    table = {a: step.get(step.get(b, b), step.get(b, b)) for a, b in step.items()}
    return {a: b for a, b in table.items() if a != b and len(b) == 1}


@lru_cache(maxsize=1)
def simplified() -> dict[str, str]:
    """The shipped table, read once."""
    lines = TABLE_FILE.read_text(encoding="utf-8").splitlines()
    return {line[0]: line[1] for line in lines if line and line[0] != "#"}


def main() -> None:
    head = "# Traditional, simplified: one pair a line. Made by fenzhen/text/script.py from OpenCC t2s (Apache-2.0).\n"
    TABLE_FILE.write_text(head + "".join(f"{a}{b}\n" for a, b in sorted(build().items())), encoding="utf-8")


if __name__ == "__main__":
    main()
