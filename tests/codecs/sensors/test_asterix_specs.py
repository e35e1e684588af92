"""The library cut down to what is read says what the whole library says."""

import json
import subprocess
import sys
from pathlib import Path

import aquila.codecs.asterix

VECTORS = Path(aquila.codecs.asterix.__file__).parent / "vectors"
READ = """
import json, sys
from pathlib import Path
from asterix.base import Bits, RawDatablock
{load}
told = []
for path in sorted(Path(sys.argv[1]).rglob("*")):
    if not path.is_file() or path.suffix != ".wire":
        continue
    data, at = path.read_bytes(), 0
    while at + 3 <= len(data):
        length = data[at + 1] << 8 | data[at + 2]
        if data[at] in editions and length > 3:
            records = editions[data[at]].cv_uap.parse(Bits.from_bytes(data[at + 3 : at + length]))
            told.append(str(records) if isinstance(records, ValueError) else [str(each.unparse()) for each in records])
            told += [] if isinstance(records, ValueError) else [sorted(each.items_regular) for each in records]
        at += max(length, 3)
print(json.dumps([sorted(categories), told]))
"""
CUT = "from aquila.codecs.asterix.specs import specifications\neditions, categories = specifications()"
WHOLE = (
    "import asterix.generated as all\n"
    "from aquila.codecs.asterix.specs import EDITIONS\n"
    "editions = {number: getattr(all, name) for number, name in EDITIONS.items()}\n"
    "categories = [int(number) for number in all.manifest['CATS']]"
)


def read_by(load: str) -> list[object]:
    """In a process of its own: the whole library stays in memory for as long as its process."""
    words = [sys.executable, "-c", READ.format(load=load), str(VECTORS)]
    told: list[object] = json.loads(subprocess.run(words, capture_output=True, text=True, check=True).stdout)
    return told


def test_the_cut_library_reads_every_vector_as_the_whole_one_does() -> None:
    cut, whole = read_by(CUT), read_by(WHOLE)
    assert cut == whole
    assert len(str(cut)) > 1_000
