"""CUDA C++ that makes the result of one column of its values, for whole messages and for rounds.

The text is generated for a number of workers and a dtype: a sorting network is straight-line minima and maxima, every
value in a register of its own, so that nothing is indexed at run time. A comparison is false for NaN, hence
(v < ∞ ? v : ∞) makes NaN the worst value. The arithmetic and its order are those of the reference, `sims.columns`;
compiled without fused multiply-adds the results are equal bit for bit, up to the sign of a zero. A result that is not
finite may have overflowed on the way, and is made once more in smaller numbers.

A thread has 255 registers of 32 bits. What needs more than `MOST_WORDS` of them would spill, and compile for minutes:
there the same network runs as loops over an array in local memory, with the same results, but much more slowly.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from sims.kernels.networks import selection_network

MOST_WORDS = 256  # of 32 bits that the values of one column take as straight-line code
COLUMN_RULES = (
    *("mean", "mean_from_first", "median", "trimmed_mean"),
    *("mean_around_median", "mean_around_trimmed_mean"),
)

_ORDERED = {  # hardware has minima and maxima of float32 only; no value is NaN here
    "float32": ("fminf(a, b)", "fmaxf(a, b)"),
    "float64": ("a < b ? a : b", "a < b ? b : a"),
}

# a - v > w - b without rounding: see `sims.backend.farther`
FARTHER = """
__device__ __forceinline__ T lost(T a, T b, T found) {
  const T shift = found - a;
  return (a - (found - shift)) - (b + shift);
}
__device__ __forceinline__ bool farther(T a, T v, T w, T b) {
  T one = a - v, other = w - b;
  if (one == other && one == (T)INF) {
    a *= (T)0.5, v *= (T)0.5, w *= (T)0.5, b *= (T)0.5;
    one = a - v, other = w - b;
  }
  return one > other || (one == other && lost(a, v, one) > lost(w, b, other));
}
"""


_EDGES = """
__device__ __forceinline__ T halfway(T low, T high) {
  const T gap = high - low;
  return fabs((double)gap) < INF ? low + (T)0.5 * gap : (T)0.5 * low + (T)0.5 * high;
}
__device__ __forceinline__ T between(T value, T lowest, T highest) {  // NaN stays what it is
  value = value < lowest ? lowest : value;
  return value > highest ? highest : value;
}
"""


def ordered(dtype: str) -> str:
    """The functions of a few values of which `of_one_column` makes use."""
    text = "__device__ __forceinline__ T {}(T a, T b) {{ return {}; }}\n"
    lower, upper = _ORDERED[dtype]
    return text.format("lower", lower) + text.format("upper", upper) + _EDGES


def of_one_column(rule: str, n: int, f: int, dtype: str) -> list[str]:
    """Statements that make `result` of the n values p[0], p[worker_stride], …: of the column at p.

    `rule` is a name of `COLUMN_RULES`, or "sum_of_nearest": of the distances of one message to all n, −1 to itself and
    none of them NaN, the sum of the n − f − 2 smallest, Krum's score.
    """
    words = n * (1 if dtype == "float32" else 2)
    if words > MOST_WORDS:
        return _LOOPS[rule](n, f)
    return _load(n, rule in ("mean_from_first", "mean_around_median")) + _WRITERS[rule](n, f)


def _load(n: int, chosen: bool) -> list[str]:
    rows = [f"chosen[r * {n} + {i}]" if chosen else f"{i}" for i in range(n)]
    return [f"T v{i} = p[{row} * worker_stride];" for i, row in enumerate(rows)]


def _mean(terms: list[str]) -> list[str]:
    """Their mean, as the variable `mean`, added from left to right as NumPy adds rows."""
    return [
        f"T mean = {terms[0]};",
        *(f"mean = mean + {term};" for term in terms[1:]),
        f"mean = mean / (T){len(terms)};",
    ]


def _order(n: int, wanted: Iterable[int]) -> list[str]:
    """Bring the order statistics at `wanted` to their places; no value is NaN."""
    lines = []
    for low, high, keep_low, keep_high in selection_network(n, wanted):
        smaller = f"v{low} = lower(a, b);" if keep_low else ""
        larger = f"v{high} = upper(a, b);" if keep_high else ""
        lines.append(f"{{ T a = v{low}, b = v{high}; {smaller} {larger} }}")
    return lines


def _worst_for_nan(n: int) -> list[str]:
    return [f"v{i} = v{i} < (T)INF ? v{i} : (T)INF;" for i in range(n)]


def _middle(n: int) -> str:
    """The median of values whose middle ones are in their places."""
    low, high = f"v{(n - 1) // 2}", f"v{n // 2}"
    return low if n % 2 else f"halfway({low}, {high})"


def _again(count: int, centre: str | None, every: Callable[[str], list[str]], unless: str = "") -> list[str]:
    """What becomes of a `result` that is not finite: see `sims.columns`.

    `every` writes a statement for each of the values that were averaged, which is called `value` in it.
    """
    unit = 2.0 ** (count.bit_length() + 1)
    away = f"value * (T){1 / unit}" + (" - scaled" if centre else "")
    scaled = f", scaled = {centre} * (T){1 / unit}" if centre else ""
    found = f"(sum / (T){count}) * (T){unit}" if centre is None else f"(scaled + sum / (T){count}) * (T){unit}"
    return [
        "if (!(fabs((double)result) < INF)) {",
        f"T sum = (T)-0.0, lowest = (T)INF, highest = -(T)INF{scaled};",
        *every(
            f"sum = sum + ({away}); lowest = value < lowest ? value : lowest; "
            "highest = value > highest ? value : highest;"
        ),
        f"result = {unless}between({found}, lowest, highest);",
        "}",
    ]


def _values(names: Iterable[str], statement: str) -> list[str]:
    """A statement for each of some variables."""
    return [f"{{ const T value = {name}; {statement} }}" for name in names]


def _write_mean(n: int, f: int) -> list[str]:
    again = _again(n, None, lambda statement: _values((f"v{i}" for i in range(n)), statement))
    return [*_mean([f"v{i}" for i in range(n)]), "T result = mean;", *again]


def _write_mean_from_first(n: int, f: int) -> list[str]:
    again = _again(n, "v0", lambda statement: _values((f"v{i}" for i in range(n)), statement))
    return [*_mean([f"(v{i} - v0)" for i in range(n)]), "T result = v0 + mean;", *again]


def _write_median(n: int, f: int) -> list[str]:
    return [*_worst_for_nan(n), *_order(n, ((n - 1) // 2, n // 2)), f"T result = {_middle(n)};"]


def _write_trimmed_mean(n: int, f: int) -> list[str]:
    middle = f"v{f + (n - 2 * f) // 2}"
    kept = [f"(v{i} - {middle})" for i in range(f, n - f)]
    again = _again(n - 2 * f, middle, lambda statement: _values((f"v{i}" for i in range(f, n - f)), statement))
    return [*_worst_for_nan(n), *_order(n, range(f, n - f)), *_mean(kept), f"T result = {middle} + mean;", *again]


def _write_mean_around_median(n: int, f: int) -> list[str]:
    """A NaN is farthest from the median and makes the result NaN if it has to be taken, as in the reference."""
    keep = n - f
    return [
        "int numbers = 0;",
        *(f"numbers += v{i} == v{i};" for i in range(n)),
        *_worst_for_nan(n),
        *_order(n, range(n)),
        f"T result, middle = {_middle(n)};",
        *_nearest(n, keep, f"v{(n - 1) // 2}", f"v{n // 2}", "middle", _or_nan("middle", keep) + " : "),
    ]


def _write_mean_around_trimmed_mean(n: int, f: int) -> list[str]:
    kept, middle = [f"v{i}" for i in range(f, n - f)], f"v{f + (n - 2 * f) // 2}"
    again = _again(len(kept), middle, lambda statement: _values(kept, statement))
    return [
        *_worst_for_nan(n),
        *_order(n, range(n)),
        "T result;",
        "{",
        *_mean([f"({value} - {middle})" for value in kept]),
        f"result = {middle} + mean;",
        *again,
        "}",
        "const T centre = result;",
        *_nearest(n, n - f, "centre", "centre", "centre"),
    ]


def _nearest(n: int, keep: int, low: str, high: str, centre: str, unless: str = "") -> list[str]:
    """The mean of the `keep` values nearest to the centre, as `result`: see `sims.columns`."""
    taken = [f"if ({i} >= first && {i} < first + {keep})" for i in range(n)]
    return [
        "int first = 0;",
        *(f"first += farther({low}, v{i}, v{keep + i}, {high});" for i in range(n - keep)),
        "T total = (T)-0.0;",
        *(f"{here} total = total + (v{i} - {centre});" for i, here in enumerate(taken)),
        f"result = {unless}{centre} + total / (T){keep};",
        *_again(
            keep,
            centre,
            lambda statement: [f"{here} {{ const T value = v{i}; {statement} }}" for i, here in enumerate(taken)],
            unless,
        ),
    ]


def _or_nan(middle: str, keep: int) -> str:
    """The beginning of a choice: NaN if there are too few numbers, or none in the middle."""
    return f"numbers < {keep} || !(fabs((double){middle}) < INF) ? (T)(INF - INF)"


def _write_sum_of_nearest(n: int, f: int) -> list[str]:
    nearest = range(1, n - f - 1)
    return [*_order(n, nearest), "T result = v1;", *(f"result = result + v{i};" for i in nearest[1:])]


_WRITERS = {
    "mean": _write_mean,
    "mean_from_first": _write_mean_from_first,
    "median": _write_median,
    "trimmed_mean": _write_trimmed_mean,
    "mean_around_median": _write_mean_around_median,
    "mean_around_trimmed_mean": _write_mean_around_trimmed_mean,
    "sum_of_nearest": _write_sum_of_nearest,
}


def _loop(n: int, chosen: bool, statement: str) -> str:
    """A statement for each value, which is called `value`."""
    row = f"chosen[r * {n} + i]" if chosen else "i"
    return f"for (int i = 0; i < {n}; i++) {{ const T value = p[{row} * worker_stride]; {statement} }}"


def _loop_mean(n: int, f: int) -> list[str]:
    again = _again(n, None, lambda statement: [_loop(n, False, statement)])
    add = _loop(n, False, "result = i ? result + value : value;")
    return ["T result = 0;", add, f"result = result / (T){n};", *again]


def _loop_mean_from_first(n: int, f: int) -> list[str]:
    step = "if (!i) first = value; const T away = value - first; mean = i ? mean + away : away;"
    again = _again(n, "first", lambda statement: [_loop(n, True, statement)])
    return ["T first = 0, mean = 0;", _loop(n, True, step), f"T result = first + mean / (T){n};", *again]


def _part(first: str, last: str, statement: str) -> list[str]:
    """A statement for each value from one place of v up to another."""
    return [f"for (int i = {first}; i < {last}; i++) {{ const T value = v[i]; {statement} }}"]


def _loop_order(n: int, chosen: bool) -> list[str]:
    """`sorting_network`, comparator by comparator, on an array v."""
    return [
        f"T v[{n}];",
        "int numbers = 0;",
        _loop(n, chosen, "numbers += value == value; v[i] = value < (T)INF ? value : (T)INF;"),
        f"for (int merged = 1; merged < {n}; merged *= 2)",
        "  for (int gap = merged; gap; gap /= 2)",
        f"    for (int block = gap % merged; block < {n} - gap; block += 2 * gap)",
        f"      for (int i = block; i < block + gap && i < {n} - gap; i++)",
        "        if (i / (2 * merged) == (i + gap) / (2 * merged)) {",
        "          const T a = v[i], b = v[i + gap];",
        "          v[i] = lower(a, b);",
        "          v[i + gap] = upper(a, b);",
        "        }",
    ]


def _loop_middle(n: int) -> str:
    low, high = f"v[{(n - 1) // 2}]", f"v[{n // 2}]"
    return low if n % 2 else f"halfway({low}, {high})"


def _loop_median(n: int, f: int) -> list[str]:
    return [*_loop_order(n, False), f"T result = {_loop_middle(n)};"]


def _loop_trimmed_mean(n: int, f: int) -> list[str]:
    return [
        *_loop_order(n, False),
        f"const T middle = v[{f + (n - 2 * f) // 2}];",
        f"T mean = v[{f}] - middle;",
        f"for (int i = {f + 1}; i < {n - f}; i++) mean = mean + (v[i] - middle);",
        f"T result = middle + mean / (T){n - 2 * f};",
        *_again(n - 2 * f, "middle", lambda statement: _part(f"{f}", f"{n - f}", statement)),
    ]


def _loop_mean_around_median(n: int, f: int) -> list[str]:
    """The same on the array v."""
    unless = _or_nan("middle", n - f) + " : "
    return [
        *_loop_order(n, True),
        f"const T middle = {_loop_middle(n)};",
        "T result;",
        *_loop_nearest(n, n - f, f"v[{(n - 1) // 2}]", f"v[{n // 2}]", "middle", unless),
    ]


def _loop_mean_around_trimmed_mean(n: int, f: int) -> list[str]:
    return [
        *_loop_trimmed_mean(n, f),
        "const T centre = result;",
        *_loop_nearest(n, n - f, "centre", "centre", "centre"),
    ]


def _loop_nearest(n: int, keep: int, low: str, high: str, centre: str, unless: str = "") -> list[str]:
    """`_nearest` on the array v."""
    return [
        "int first = 0;",
        f"for (int i = 0; i < {n - keep}; i++) first += farther({low}, v[i], v[{keep} + i], {high});",
        f"T total = v[first] - {centre};",
        f"for (int i = first + 1; i < first + {keep}; i++) total = total + (v[i] - {centre});",
        f"result = {unless}{centre} + total / (T){keep};",
        *_again(keep, centre, lambda statement: _part("first", f"first + {keep}", statement), unless),
    ]


def _loop_sum_of_nearest(n: int, f: int) -> list[str]:
    add = f"for (int i = 2; i <= {n - f - 2}; i++) result = result + v[i];"
    return [*_loop_order(n, False), "T result = v[1];", add]


_LOOPS = {
    "mean": _loop_mean,
    "mean_from_first": _loop_mean_from_first,
    "median": _loop_median,
    "trimmed_mean": _loop_trimmed_mean,
    "mean_around_median": _loop_mean_around_median,
    "mean_around_trimmed_mean": _loop_mean_around_trimmed_mean,
    "sum_of_nearest": _loop_sum_of_nearest,
}
