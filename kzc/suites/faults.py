# SPDX-License-Identifier: GPL-2.0-only
"""Fault injection in a guest: the shell texts that set it up, and what a failure under it means.

Only socket calls of a suite's own programs fail: their wrappers write /proc/self/make-it-fail, and
the kernel looks whether a function of net/socket.c is on the stack, or one that the suite names. So
the shell around them, the program's start and its printf work as ever. See
Documentation/fault-injection/fault-injection.rst.
Pure but for reading the rules.
"""

from __future__ import annotations

import errno
import os
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from kzc.errors import UsageError
from kzc.suites.words import first_problem

Kind = Literal["failslab", "fail_page_alloc", "fail_usercopy"]
KINDS: tuple[Kind, ...] = ("failslab", "fail_page_alloc", "fail_usercopy")
FOLDER = "/tmp/kzc-faults"
COUNTED, HUNG = "kzc: faults ", "kzc: hung "
_PLENTY = 1_000_000_000  # `times`, from which the kernel counts down
_DEPTH = 32  # of stacks, all that it looks at
_REPORTS = 20  # of them in ten seconds are told with their call trace
_DEBUG = "/sys/kernel/debug"
# all are in net/socket.c, and one object's functions lie together; the wrappers of system calls do
# not count, as arch/ has a copy of each name
_SOCKET = (
    *("sock_close", "sock_poll", "sock_ioctl", "sock_mmap", "sock_alloc_file", "sock_recvmsg"),
    *("sock_sendmsg", "sock_read_iter", "sock_write_iter", "____sys_sendmsg", "____sys_recvmsg"),
    *("__sys_socket", "__sys_bind", "__sys_listen", "__sys_accept4", "__sys_connect"),
    *("__sys_sendto", "__sys_recvfrom", "__sys_setsockopt", "__sys_getsockopt", "__sys_shutdown"),
    *("__sys_sendmsg", "__sys_sendmmsg", "__sys_recvmsg", "__sys_recvmmsg"),
)


def _error(name: str) -> str:
    if not isinstance(getattr(errno, name, None), int):
        raise ValueError(f"there is no error {name!r}")
    return name


class Words(BaseModel):
    """What a program says, and what it means by that."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    pattern: re.Pattern[str]
    why: str = Field(min_length=1)


class FaultRules(BaseModel):
    """`every`: a round each, in which every so manieth try fails; `errors` are names of errno,
    `failed` words for one that do not name it, `wrong` those for data that are not what was sent,
    `excused` kinds of findings in the kernel log."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    every: tuple[Annotated[int, Field(ge=1)], ...] = Field(min_length=1)
    errors: tuple[Annotated[str, AfterValidator(_error)], ...] = Field(min_length=1)
    wrong: tuple[Words, ...] = Field(min_length=1)
    failed: tuple[Words, ...] = ()
    excused: tuple[str, ...] = ()

    @cached_property
    def _said(self) -> re.Pattern[str]:
        numbers = [getattr(errno, name) for name in self.errors]
        texts = "|".join(re.escape(os.strerror(number)) for number in numbers)
        others = "".join(f"|(?:{each.pattern.pattern})" for each in self.failed)
        return re.compile(
            rf"\b(?:{texts}|{'|'.join(self.errors)})\b{others}"
            rf"|\berrno(?:[ =:]+|' == \d+, got )(?:{'|'.join(map(str, numbers))})\b"
        )

    def error(self, lines: Iterable[str]) -> str:
        """The first error in the lines that a fault explains, empty if there is none."""
        found = (match for line in lines if (match := self._said.search(line)))
        return next((match[0] for match in found), "")

    def wrong_data(self, lines: Iterable[str]) -> str:
        """The first line that tells of wrong data, empty if none does."""
        return next((li for li in lines if any(each.pattern.search(li) for each in self.wrong)), "")


@dataclass(frozen=True)
class Faults:
    """What a suite is run under: `every` overrides the rules' own rounds, `kinds` are injected."""

    rules: FaultRules
    every: tuple[int, ...] = ()
    kinds: tuple[Kind, ...] = KINDS

    @property
    def rounds(self) -> tuple[int, ...]:
        return self.every or self.rules.every


def load_fault_rules(path: Path) -> FaultRules:
    """Raises UsageError naming file and field."""
    try:
        return FaultRules.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{path}: {error}") from None
    except ValidationError as error:
        raise UsageError(f"{path}: {first_problem(error)}") from None


def prepare(
    folder: str, programs: Sequence[str], under: Sequence[str] = (), spares: Sequence[str] = ()
) -> str:
    """Shell text that sets up what all rounds share; prints why and ends with 1 where it cannot.

    FOLDER then has all that `folder` has, with a wrapper in place of each program. Faults have one
    of the functions `under` on the stack, or one that lies between them in the kernel; those of
    net/socket.c if there is none. They have none of `spares` there, nor one between those.
    """
    return f"""fail() {{ echo "$1"; exit 1; }}
{_each('[ -w $at/require-start ] || fail "this kernel has no $at/require-start"')}
range() {{
    set -- "$1" $(awk -v names="$2" '
    $3 ~ "^(" names ")$" {{ if (!first) first = $1; last = $1; over = 0; next }}
    last && !over && $1 != last {{ over = $1; end = $1 }}
    END {{ print first, end }}' /proc/kallsyms)
    case $2 in ''|*[!0]*) ;; *) fail "addresses are hidden in /proc/kallsyms" ;; esac
    [ $# = 3 ] || return
    {_each('echo "0x$2" >"$at/$1-start"; echo "0x$3" >"$at/$1-end"')}
}}
{_range("require", under or _SOCKET)}
{_range("reject", spares)}
{
        _each(f'''echo 0 >$at/probability; echo Y >$at/task-filter; echo 0 >$at/space
    echo {_DEPTH} >$at/stacktrace-depth
    echo 2 >$at/verbose; echo 10000 >$at/verbose_ratelimit_interval_ms
    echo {_REPORTS} >$at/verbose_ratelimit_burst''')
    }
echo N >{_DEBUG}/failslab/ignore-gfp-wait
echo N >{_DEBUG}/fail_page_alloc/ignore-gfp-wait
echo 0 >{_DEBUG}/fail_page_alloc/min-order
mkdir -p {FOLDER}/real && cd {FOLDER} || fail "no room in {FOLDER}"
# a mini guest has no /bin/sh
shell=/bin/sh
[ -e $shell ] || shell="/bin/busybox sh"
for file in '{folder}'/*; do ln -sf "$file" .; done
for name in {" ".join(programs)}; do
    [ -e "$name" ] || continue
    cp "$name" real/ && rm "$name" || fail "no room in {FOLDER}"
    printf '#!%s\\necho 1 >/proc/self/make-it-fail\\nexec {FOLDER}/real/%s "$@"\\n' \\
        "$shell" "$name" >"$name"
    chmod +x "$name"
done
exit 0"""


def trial(run: str, every: int, patience: float, kinds: Sequence[str] = KINDS) -> str:
    """Shell text that runs `run` with every so manieth try failing, and then tells how many did.

    Only the `kinds` fail. Programs that are still there after `patience` seconds are killed, and
    where they stood is told.
    """
    count = f'said="$said $kind=$(({_PLENTY} - $(cat $at/times)))"'
    return f"""rm -f /tmp/kzc-hung
{_each(f"echo {every} >$at/interval; echo {_PLENTY} >$at/times")}
{_each("echo 100 >$at/probability", kinds)}
(
    sleep {patience:.0f}
    for exe in /proc/[0-9]*/exe; do
        case $(readlink "$exe") in {FOLDER}/real/*) ;; *) continue ;; esac
        pid=${{exe%/exe}} pid=${{pid#/proc/}}
        read -r name <"/proc/$pid/comm"
        echo "{HUNG}$name:" $(sed 's/.*\\] //; s/+0x.*//' "/proc/$pid/stack")
        echo "$pid" >>/tmp/kzc-pids
    done >/tmp/kzc-hung
    for pid in $(cat /tmp/kzc-pids); do kill -KILL "$pid"; done
    rm -f /tmp/kzc-pids
) >/dev/null 2>&1 &
dog=$!
( {run}
)
status=$?
kill "$dog" 2>/dev/null
said=
{_each(f"echo 0 >$at/probability; {count}")}
printf '\\n{COUNTED}%s\\n' "$said"
[ -e /tmp/kzc-hung ] && cat /tmp/kzc-hung
exit $status"""


def _range(which: str, names: Sequence[str]) -> str:
    told = " ... ".join(dict.fromkeys((names[0], names[-1]))) if names else ""
    why = f'fail "/proc/kallsyms has none of {told}"'
    return f"range {which} '{'|'.join(names)}' || {why}" if names else ""


def _each(text: str, kinds: Sequence[str] = KINDS) -> str:
    return f"for kind in {' '.join(kinds)}; do at={_DEBUG}/$kind; {text}; done"


@dataclass(frozen=True)
class Said:
    """What a trial printed: the programs' own lines, how many faults there were of each kind (None
    if it did not come to tell), and where programs stood that were killed because they hung."""

    lines: tuple[str, ...]
    counts: Mapping[str, int] | None
    hung: tuple[str, ...] = ()


def read(output: Iterable[str]) -> Said:
    """Take a trial's output apart."""
    lines: list[str] = []
    hung: list[str] = []
    counts: dict[str, int] | None = None
    for line in output:
        if line.startswith(COUNTED):
            pairs = re.findall(r"(\w+)=(\d+)", line)
            counts = {kind: int(number) for kind, number in pairs}
        elif line.startswith(HUNG):
            hung.append(line.removeprefix(HUNG).strip())
        else:
            lines.append(line)
    return Said(tuple(lines), counts, tuple(hung))
