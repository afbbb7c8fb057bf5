"""`byzcheck radius`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from byzcheck.commands.arguments import check_json, write_json
from byzcheck.commands.errors import one_sentence


@one_sentence
def radius(
    delta: Annotated[
        float | None, typer.Option(metavar="δ", help="The largest share of Byzantine workers; or give -n and -f.")
    ] = None,
    rho: Annotated[
        float, typer.Option(metavar="ρ", help="How far apart two honest messages are: ρ² ≥ E‖x_i − x_j‖².")
    ] = 1.0,
    start: Annotated[
        float | None,
        typer.Option(
            metavar="B", help="How far the centre may be from the honest mean: B² ≥ E‖v_0 − x̄‖². [default: ρ]"
        ),
    ] = None,
    n: Annotated[int | None, typer.Option("-n", metavar="N", help="Workers: also search the c needed with N.")] = None,
    f: Annotated[int | None, typer.Option("-f", metavar="F", help="Byzantine workers among N, for δ = F/N.")] = None,
    steps: Annotated[int | None, typer.Option(metavar="L", help="The most steps that may be taken.")] = None,
    json: Annotated[Path | None, typer.Option(metavar="FILE", help="Also as JSON; - for stdout alone.")] = None,
) -> None:
    """Say which radius τ centered clipping needs, how many steps, and the c that is then proved."""
    from byzcheck.commands.console import console
    from byzcheck.radius import prescribe
    from byzcheck.record import prescription_record
    from byzcheck.show.radius import prescription_text

    check_json(json)
    found = prescribe(_share(delta, n, f), rho, start, n, steps)
    if json is not None:
        write_json(prescription_record(found), json)
    console(stderr=str(json) == "-").print(prescription_text(found))


def _share(delta: float | None, n: int | None, f: int | None) -> float:
    """δ, or f/n."""
    if (delta is None) == (f is None):
        raise ValueError("a radius needs either --delta or -n and -f")
    if delta is not None:
        return delta
    if n is None or f is None:
        raise ValueError(f"a radius for f Byzantine workers needs -n, got f = {f} alone")
    if not 1 <= f < n / 2:
        raise ValueError(f"a radius needs 1 ≤ f < n/2, got n = {n}, f = {f}")
    return f / n
