"""What a person sees when a command cannot do what was asked: one sentence, and a non-zero exit."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from types import CodeType, TracebackType
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
    """`command` with the errors that its user can cause told in one sentence; what ends it by a signal, without a word.

    Among them is whatever the user's own code raises, and that it exits: a command alone says how a command ends. An
    error in which the user's code had no part is a defect of the program and keeps its traceback.
    """

    @functools.wraps(command)
    def guarded(*args: Any, **kwargs: Any) -> None:
        try:
            command(*args, **kwargs)
        except KeyboardInterrupt as ended:
            raise typer.Exit(128 + getattr(ended, "number", 2)) from None
        except SystemExit as error:
            if (place := whose(error)) is None:  # as rich does where nobody reads any more
                raise
            fail(f"{place} exits instead of returning")
        except (typer.Exit, typer.Abort, PARSER_ERROR, BrokenPipeError) as error:
            if (place := whose(error)) is None:  # how a command ends, or the reader of the output left
                raise
            fail(f"{place} raised {said(error)}")
        except ValueError as error:
            fail(said(error, kind=False) or f"{whose(error) or 'something'} raised {type(error).__name__}")
        except OSError as error:
            fail(
                f"{error.filename}: {error.strerror}"
                if error.filename
                else error.strerror or said(error, kind=False) or said(error)
            )
        except MemoryError:
            fail("not enough memory")
        except BaseException as error:
            from concurrent.futures.process import BrokenProcessPool

            if isinstance(error, BrokenProcessPool):
                fail(f"a worker process ended abruptly ({REASONS}); nothing was written, fewer --jobs may help")
            if (place := whose(error)) is None:
                raise
            fail(f"{place} raised {said(error)}")

    return guarded


REASONS = "killed, or out of memory"
OURS = ("byzcheck", "benchmarks", "figures", "theory")


def said(error: BaseException, kind: bool = True) -> str:
    """What an error says, in one line; with its `kind` in front."""
    from sims.owned import told, words  # NumPy, for which nobody waits who is told nothing

    return told(error) if kind else words(error)


def whose(error: BaseException) -> str | None:
    """The place in the user's own code that an error came through last, below the command; None if there is none."""
    from sims.engine.code import kind_of

    found = None
    for code, line, module in list(_frames(error.__traceback__))[2:]:  # the command and what guards it are ours
        if kind_of(module) == "own" and module.partition(".")[0] not in OURS:
            found = f"{code.co_qualname} ({code.co_filename}, line {line})"
    return found


def _frames(traceback: TracebackType | None) -> Iterator[tuple[CodeType, int, str]]:
    while traceback is not None:
        frame = traceback.tb_frame
        yield frame.f_code, traceback.tb_lineno, str(frame.f_globals.get("__name__", ""))
        traceback = traceback.tb_next
