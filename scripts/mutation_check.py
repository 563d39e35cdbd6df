"""Break lines of losses, samplers, spaces and metrics one by one, and count what the tests catch.

    python scripts/mutation_check.py [--count 30] [--seed 0] [--parts losses samplers]

Each mutant flips a sign, a comparison or a boolean, drops a mask, swaps the operands of a
difference, or moves a small number by one. The tests of the part and its conformance suite run on
it; a mutant that passes them all survives, and is printed. The file is restored after each mutant,
after an interrupt too. The script ends with 1 if a mutant survives.
"""

import argparse
import ast
import random
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator, List, NamedTuple, NoReturn, Optional

ROOT = Path(__file__).resolve().parents[1]
CONFORMANCE = "tests/conformance/test_conformance.py"
# Each part with the conformance classes that run it.
PARTS = {
    "losses": "TestLosses",
    "samplers": "TestSamplers",
    "output_spaces": "TestOutputSpaces",
    "metrics": "TestMetrics",
}
FLIPPED = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.Lt: ast.GtE,
    ast.Gt: ast.LtE,
    ast.LtE: ast.Gt,
    ast.GtE: ast.Lt,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}


class Mutant(NamedTuple):
    """A part of a file with the code that takes its place."""

    path: Path
    start: int  # in bytes, as `ast` counts columns
    end: int
    code: str
    what: str

    def apply(self, text: bytes) -> bytes:
        """Return the broken file."""
        return text[: self.start] + self.code.encode() + text[self.end :]


def broken(node: ast.AST) -> Iterator[ast.expr]:
    """Yield the expressions that may take the place of a node."""
    if isinstance(node, ast.BinOp) and type(node.op) in FLIPPED:
        yield ast.BinOp(node.left, FLIPPED[type(node.op)](), node.right)
        if isinstance(node.op, ast.Sub):
            yield ast.BinOp(node.right, node.op, node.left)
    elif isinstance(node, ast.Compare) and type(node.ops[0]) in FLIPPED:
        yield ast.Compare(node.left, [FLIPPED[type(node.ops[0])]()], node.comparators)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.Invert, ast.Not)):
        yield node.operand
    elif isinstance(node, ast.Constant) and type(node.value) is int and abs(node.value) < 3:
        yield ast.Constant(node.value + 1)
    elif isinstance(node, ast.Call):
        if isinstance(node.func, ast.Attribute) and node.func.attr in ("masked_fill", "detach"):
            yield node.func.value
        for number, argument in enumerate(node.args):
            if isinstance(argument, ast.Name) and argument.id == "mask":
                others = [*node.args[:number], ast.Constant(None), *node.args[number + 1 :]]
                yield ast.Call(node.func, others, node.keywords)


def is_computed(node: ast.AST) -> bool:
    """Return whether a statement computes: messages, annotations and defaults do not."""
    return isinstance(node, (ast.Assign, ast.AugAssign, ast.Return, ast.If))


def mutants_of(path: Path) -> List[Mutant]:
    """Return all mutants of a file."""
    text = path.read_bytes()
    lines = text.splitlines(keepends=True)
    starts = [sum(map(len, lines[:number])) for number in range(len(lines))]
    mutants = []
    for statement in ast.walk(ast.parse(text)):
        if not is_computed(statement):
            continue
        roots = [statement.test] if isinstance(statement, ast.If) else [statement.value]  # type: ignore[attr-defined]
        for root in filter(None, roots):
            for node in ast.walk(root):
                for other in broken(node):
                    start = starts[node.lineno - 1] + node.col_offset  # type: ignore[attr-defined]
                    end = starts[node.end_lineno - 1] + node.end_col_offset  # type: ignore[attr-defined]
                    code = f"({ast.unparse(ast.fix_missing_locations(other))})"
                    where = f"{path.relative_to(ROOT)}:{node.lineno}"  # type: ignore[attr-defined]
                    what = f"{where}: {text[start:end].decode()} -> {code[1:-1]}"
                    mutants.append(Mutant(path, start, end, code, what))
    return mutants


@contextmanager
def applied(mutant: Mutant) -> Iterator[None]:
    """The file is broken inside the context, and restored after it."""
    text = mutant.path.read_bytes()
    try:
        mutant.path.write_bytes(mutant.apply(text))
        yield
    finally:
        mutant.path.write_bytes(text)


def passes(part: str, timeout: Optional[float] = None) -> bool:
    """Return whether the tests of a part pass; tests that hang do not."""
    pytest = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider"]
    for tests in ([f"tests/{part}"], [CONFORMANCE, "-k", PARTS[part]]):
        try:
            result = subprocess.run(
                [*pytest, *tests],
                cwd=ROOT,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=timeout,
            )
        except subprocess.TimeoutExpired:
            return False
        if result.returncode:
            return False
    return True


def interrupted(number: int, frame: object) -> NoReturn:
    """End by an exception, after which the file is restored."""
    raise SystemExit(128 + number)


def main() -> int:
    """Try the mutants, and print those that survive."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--timeout", type=float, default=600, help="seconds for one mutant")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, interrupted)
    draw = random.Random(arguments.seed)
    survivors = []
    for number in range(arguments.count):
        part = arguments.parts[number % len(arguments.parts)]
        paths = sorted((ROOT / "modules" / part).glob("*.py"))
        mutant = draw.choice([each for path in paths for each in mutants_of(path)])
        with applied(mutant):
            survives = passes(part, arguments.timeout)
        print(f"{'SURVIVES' if survives else 'caught  '} {mutant.what}", flush=True)
        if survives:
            survivors.append(mutant)
    print(f"{arguments.count - len(survivors)} of {arguments.count} mutants are caught.")
    return int(bool(survivors))


if __name__ == "__main__":
    raise SystemExit(main())
