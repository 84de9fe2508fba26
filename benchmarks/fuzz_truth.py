"""Give files whose truth is known to the readers: each must be read right or be refused, never wrongly.

    python benchmarks/fuzz_truth.py --files 5000 --seed 1     # part of `make fuzz`
    python benchmarks/fuzz_truth.py --replay 1234             # one mutant again: how it was read, and its first lines
    python benchmarks/fuzz_truth.py --table                   # kind x format, as Markdown
    python benchmarks/fuzz_truth.py --promises 300            # does `fit` do what `inspect` promises?

Three files in four are text tables in a random dialect with a mutation that follows the grammar (another unit, columns
swapped, rows repeated, files spliced, header moved, error codes sprinkled), one is an ordinary lab file of any kind on
any format. Counts right, refused (and how many refusals show an option that works), wrong and crashed, and names the
seeds of the last two; the exit code is 1 when there is any.
"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
import time
import warnings
from collections import Counter, defaultdict
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

BAD = ("wrong", "crashed")
STEP = 1_000_000
"""Seeds of one run begin here times --seed."""


def judge_mutant(seed: int) -> tuple[str, int, str, str, bool]:
    """(What, seed, verdict, why, whether a way was shown) of one mutant."""
    from tests.lab_files.judge import judge
    from tests.lab_files.mutations import mutant

    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory() as folder:
        name, choices, case = mutant(seed, Path(folder))
        verdict = judge(case)
    what = f"mutation: {name}"
    layout = f" [{choices['layout']}]" if verdict.word in BAD else ""
    return what, seed, verdict.word, f"{verdict.cause}{layout}: {verdict.why}", verdict.way


def judge_kind(task: tuple[str, str, int]) -> tuple[str, int, str, str, bool]:
    """The same for an ordinary lab file of a kind on a format."""
    from tests.lab_files.judge import judge
    from tests.lab_files.kinds import make

    logging.disable(logging.WARNING)
    name, reader, seed = task
    with tempfile.TemporaryDirectory() as folder:
        verdict = judge(make(name, reader, seed, Path(folder) / "lab"))
    return f"kind: {name} on {reader}", seed, verdict.word, f"{verdict.cause}: {verdict.why}", verdict.way


def judge_promise(task: tuple[str, str, int]) -> tuple[str, str]:
    """What, and how `fit` broke what `inspect` promised of an ordinary lab file; '' where it kept to it."""
    from tests.lab_files.kinds import make
    from tests.lab_files.promised import broken_promise

    logging.disable(logging.WARNING)
    name, reader, seed = task
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        why = broken_promise(make(name, reader, seed, Path(folder) / "lab"), Path(folder))
    return f"kind: {name} on {reader}, seed {seed}", why


def promises(count: int, first: int, jobs: int) -> int:
    """Print every broken promise among so many lab files; how many there are."""
    with ProcessPoolExecutor(jobs) as pool:
        broken = [(what, why) for what, why in pool.map(judge_promise, kind_tasks(count, first), chunksize=5) if why]
    for what, why in broken:
        print(f"{what}: {why[:400]}")
    print(f"{count} lab files through inspect and fit: {len(broken)} promises broken")
    return len(broken)


def kind_tasks(count: int, first: int) -> list[tuple[str, str, int]]:
    """`count` lab files, all kinds and formats in turn, in an order of the seed."""
    from tests.lab_files.kinds import KINDS

    pairs = [(kind.name, reader) for kind in KINDS.values() for reader in kind.readers]
    order = np.random.default_rng(first).permutation(len(pairs))
    return [(*pairs[order[i % len(pairs)]], first + i // len(pairs)) for i in range(count)]


def replay(seed: int) -> None:
    """Print one mutant and its verdict."""
    from tests.lab_files.dialect import PLAIN
    from tests.lab_files.judge import judge
    from tests.lab_files.mutations import mutant

    with tempfile.TemporaryDirectory() as folder:
        name, choices, case = mutant(seed, Path(folder))
        lines = case.paths[0].read_text(encoding="utf-8-sig").splitlines()
        print(f"mutation: {name}; not plain: { {k: v for k, v in choices.items() if v != PLAIN[k]} }")
        print("\n".join(line[:120] for line in lines[:12]), f"\n... {len(lines)} lines")
        print(judge(case))


def table(seeds: int) -> None:
    """Right, refused (+ with a way that works) or wrong, for every kind on every format."""
    from tests.lab_files.kinds import KINDS
    from tests.lab_files.sheet import ALL

    print("| rule | kind | " + " | ".join(ALL) + " |\n|" + "---|" * (len(ALL) + 2))
    order = ("crashed", "wrong", "refused", "right")
    for kind in sorted(KINDS.values(), key=lambda kind: kind.rule):
        cells = []
        for reader in ALL:
            found = [judge_kind((kind.name, reader, seed)) for seed in range(seeds)] if reader in kind.readers else []
            word = next((word for word in order if any(item[2] == word for item in found)), "")
            words = next((item[3].split(":")[0] for item in found if item[2] in BAD), "")
            way = word == "refused" and all(item[4] for item in found if item[2] == "refused")
            cells.append(f"**{word}** ({words})" if word in BAD else word + ("+" if way else ""))
        print(f"| {kind.rule} | {kind.name} | " + " | ".join(cells) + " |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--replay", type=int, help="seed of one mutant")
    parser.add_argument("--table", action="store_true", help="kind x format, instead of the run")
    parser.add_argument("--promises", type=int, help="so many lab files through inspect and fit, instead of the run")
    parser.add_argument("--show", type=int, default=3, help="wrong files named for each kind")
    options = parser.parse_args()
    if options.replay is not None:
        replay(options.replay)
        return
    if options.table:
        table(seeds=2)
        return
    first = options.seed * STEP
    if options.promises:
        raise SystemExit(1 if promises(options.promises, first, options.jobs) else 0)
    began = time.monotonic()
    n_kinds = options.files // 4
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    bad: dict[str, list[str]] = defaultdict(list)
    ways = 0
    with ProcessPoolExecutor(options.jobs) as pool:
        mutants = pool.map(judge_mutant, range(first, first + options.files - n_kinds), chunksize=50)
        kinds = pool.map(judge_kind, kind_tasks(n_kinds, first), chunksize=10)
        for results in (mutants, kinds):
            for what, seed, word, why, way in results:
                counts[what][word] += 1
                ways += way
                if word in BAD:
                    bad[what].append(f"seed {seed}: {word}, {why[:200]}")
    for what, found in counts.items():
        if what.startswith("mutation") or bad[what]:
            print(f"{what:70s} {dict(sorted(found.items()))}")
        for line in bad[what][: options.show]:
            print(f"    {line}")
    total = sum(counts.values(), Counter())
    minutes = (time.monotonic() - began) / 60
    print(
        f"seed {options.seed}: {total['right']} right, {total['refused']} refused ({ways} show a way that works), "
        f"{total['wrong']} wrong, {total['crashed']} crashed; {minutes:.1f} min"
    )
    raise SystemExit(1 if total["wrong"] or total["crashed"] else 0)


if __name__ == "__main__":
    main()
