"""What a person sees when a command cannot do what was asked: one sentence, and a non-zero exit."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NoReturn

import typer


def fail(sentence: str) -> NoReturn:
    """Say it on stderr and exit 2."""
    typer.echo(f"byzcheck: {' '.join(sentence.split())}", err=True)
    raise typer.Exit(2) from None


# what the parser of the command line raises; typer has had it from two packages, and says itself which
PARSER_ERROR: Any = next(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException")


def refused(command: Callable[[], Any]) -> int:
    """The exit code of a command, and what its parser refuses told in one sentence."""
    try:
        code = command()
    except typer.Abort:
        return 130
    except PARSER_ERROR as error:
        if type(error).__name__ == "NoArgsIsHelpError":
            typer.echo(error.format_message())
        else:
            path = getattr(getattr(error, "ctx", None), "command_path", "byzcheck")
            typer.echo(f"byzcheck: {' '.join(error.format_message().split())} (see {path} --help)", err=True)
        return error.exit_code
    return code if isinstance(code, int) else 0


def one_sentence(command: Callable[..., None]) -> Callable[..., None]:
    """`command` with the errors that its user can cause told in one sentence; Ctrl-C exits 130 without a word.

    Anything else is a defect of the program and keeps its traceback.
    """

    @functools.wraps(command)
    def guarded(*args: Any, **kwargs: Any) -> None:
        try:
            command(*args, **kwargs)
        except KeyboardInterrupt:
            raise typer.Exit(130) from None
        except BrokenPipeError:
            raise  # the reader of the output left: no error of ours
        except ValueError as error:
            fail(str(error))
        except OSError as error:
            fail(f"{error.filename}: {error.strerror}" if error.filename and error.strerror else str(error))
        except MemoryError:
            fail("not enough memory")
        except RuntimeError as error:
            from concurrent.futures.process import BrokenProcessPool

            if not isinstance(error, BrokenProcessPool):
                raise
            fail(
                "a worker process ended abruptly (killed, or out of memory); nothing was written, fewer --jobs may help"
            )

    return guarded
