# SPDX-License-Identifier: GPL-2.0-only
"""Numbers that collide: what is read of a header, which constants are one family, what is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from kzc.git import Git
from kzc.series.apply import apply_series
from kzc.series.constants import read_constants
from kzc.series.numbers import SUBJECT, check_numbers
from kzc.series.read import read_range
from kzc.series.uapi import GENERIC_SOCKET, find_collisions, find_lacking, watched
from kzc.values import Outcome, Verdict
from tests.fakelinux import commit, edit
from tests.plain import RUNNER

MIPS = "arch/mips/include/uapi/asm/socket.h"
LIMITS = "include/uapi/linux/x.h"

SOCKET = """\
#define SO_DEBUG\t1

#define SO_ZEROCOPY\t60
#define SO_TIMESTAMP_OLD\t29

#define SO_DEVMEM_LINEAR\t78
#define SCM_DEVMEM_LINEAR\tSO_DEVMEM_LINEAR

#if __BITS_PER_LONG == 64
#define SO_TIMESTAMP\t\tSO_TIMESTAMP_OLD
#else
#define SO_TIMESTAMP (sizeof(x) == 8 ? SO_TIMESTAMP_OLD : 63)
#endif
"""

FLAGS = """\
#define MSG_OOB\t\t1
#define MSG_PEEK\t2
#define MSG_DONTROUTE\t4
#define MSG_TRYHARD\t4 /* Synonym for MSG_DONTROUTE */
#define MSG_CTRUNC\t8
#define MSG_PROBE\t0x10
#define MSG_TRUNC\t0x20
#define MSG_DONTWAIT\t0x40
#define MSG_EOR\t\t0x80
#define MSG_EOF\t\tMSG_EOR
#define MSG_FIN\t\t0x100
#define MSG_SYN\t\t0x200
#if defined(CONFIG_COMPAT)
#define MSG_COMPAT\t0x400
#else
#define MSG_COMPAT\t0
#endif

/* IP options */
#define IP_TOS\t1
#define IP_TTL\t2
#define IP_HDRINCL\t3

/* and the values of one */
#define IP_PMTUDISC_DONT\t0
#define IP_PMTUDISC_WANT\t1
#define IP_PMTUDISC_DO\t2

#define VHOST_VIRTIO 0xAF
#define VHOST_GET_FEATURES\t_IOR(VHOST_VIRTIO, 0x00, __u64)
#define VHOST_SET_FEATURES\t_IOW(VHOST_VIRTIO, 0x00, __u64)
#define VHOST_SET_OWNER\t_IO(VHOST_VIRTIO, 0x01)

enum kind {
\tKIND_A,
\tKIND_B = 4, /* a comment, with a comma */
\tKIND_C,
\t__KIND_MAX,
\tKIND_MAX = __KIND_MAX - 1,
};
"""


def told(before: str, after: str, file: str = LIMITS) -> list[tuple[str, str]]:
    found = find_collisions({file: before}, {file: after})
    return [(each.new.name, each.taken.name) for each in found]


def test_what_is_read_of_a_header() -> None:
    text = (
        "/* #define NOT 1 */\n#define A\t(1U << 3) /* x */\n#define B BIT(4)\n#define C _BITUL(5)\n"
        "#define D 0x10UL\n#define E 010\n#define F(x) 3\n#define G A\n#define H (A | B)\n"
        "#define I \\\n\t7\n#define J -1\n#define K 'x'\n#define L \"1\"\n#define M (1 << A)\n"
        "#define N (sizeof(int))\n#define O 9**9**9\n#define P (1 << 99999999)\n"
    )
    found = {each.name: each.value for each in read_constants("x.h", text)}
    assert found == {"A": 8, "B": 16, "C": 32, "D": 16, "E": 8, "I": 7, "J": -1, "M": 256}
    kinds = {
        each.name: (each.value, each.line)
        for each in read_constants("x.h", FLAGS)
        if each.space.startswith("enum")
    }
    assert kinds == {"KIND_A": (0, 35), "KIND_B": (4, 36), "KIND_C": (5, 37), "__KIND_MAX": (6, 38)}


@pytest.mark.parametrize(
    ("new", "collisions"),
    [
        ("#define SCM_ZC_NOTIFICATION 78", [("SCM_ZC_NOTIFICATION", "SO_DEVMEM_LINEAR")]),
        ("#define SCM_ZC_NOTIFICATION 0x4e", [("SCM_ZC_NOTIFICATION", "SO_DEVMEM_LINEAR")]),
        ("#define SCM_ZC_NOTIFICATION 79", []),
        ("#define SCM_ZC_NOTIFICATION SO_DEVMEM_LINEAR", []),
        ("#define SO_X 80\n#define SO_Y 80", [("SO_Y", "SO_X")]),
        ("#define OTHER_THING 78", []),
    ],
)
def test_socket_options_and_cmsg_types_are_one_space(
    new: str, collisions: list[tuple[str, str]]
) -> None:
    for file in (GENERIC_SOCKET, MIPS):
        assert told(SOCKET, f"{SOCKET}\n{new}\n", file) == collisions


@pytest.mark.parametrize(
    ("after", "new", "collisions"),
    [
        ("#define MSG_SYN\t\t0x200", "#define MSG_NEW 0x100", [("MSG_NEW", "MSG_FIN")]),
        ("#define MSG_SYN\t\t0x200", "#define MSG_NEW 0x800", []),
        ("#define MSG_SYN\t\t0x200", "#define MSG_NEW MSG_FIN", []),
        ("#define MSG_SYN\t\t0x200", "#define MSG_NEW 0x400", [("MSG_NEW", "MSG_COMPAT")]),
        ("#define IP_HDRINCL\t3", "#define IP_NEW 2", [("IP_NEW", "IP_TTL")]),
        ("#define IP_HDRINCL\t3", "#define IP_NEW 4", []),
        ("#define IP_HDRINCL\t3", "\n#define IP_NEW 3", [("IP_NEW", "IP_HDRINCL")]),
        ("#define IP_PMTUDISC_DO\t2", "#define IP_PMTUDISC_X 3", []),
        (
            "#define IP_PMTUDISC_DO\t2",
            "#define IP_PMTUDISC_X 2",
            [("IP_PMTUDISC_X", "IP_PMTUDISC_DO")],
        ),
        ("#define IP_PMTUDISC_DO\t2", "\n#define IP_MODE_A 1\n#define IP_MODE_B 2", []),
        (
            "_IO(VHOST_VIRTIO, 0x01)",
            "#define VHOST_NEW _IO(VHOST_VIRTIO, 1)",
            [("VHOST_NEW", "VHOST_SET_OWNER")],
        ),
        ("_IO(VHOST_VIRTIO, 0x01)", "#define VHOST_NEW _IOW(VHOST_VIRTIO, 1, int)", []),
        ("\tKIND_B = 4,", "\tKIND_D = 4,", [("KIND_D", "KIND_B")]),
        ("\tKIND_C,", "\tKIND_D = KIND_B,", []),
        ("\tKIND_C,", "\tKIND_D = 9,", []),
    ],
)
def test_families(after: str, new: str, collisions: list[tuple[str, str]]) -> None:
    assert after in FLAGS
    assert told(FLAGS, FLAGS.replace(after, f"{after}\n{new}")) == collisions


def test_a_value_that_was_changed_is_new_and_one_that_was_there_is_not() -> None:
    assert told(FLAGS, FLAGS) == []
    assert told(FLAGS, FLAGS.replace("MSG_SYN\t\t0x200", "MSG_SYN\t\t2")) == [
        ("MSG_SYN", "MSG_PEEK")
    ]
    assert told("", FLAGS) == [("MSG_TRYHARD", "MSG_DONTROUTE")]


def test_architectures_that_do_not_get_a_new_option() -> None:
    own = "#define SO_DEBUG 1\n#define SO_ZEROCOPY 60\n"
    after = {
        GENERIC_SOCKET: f"{SOCKET}#define SO_NEW 79\n",
        MIPS: own,
        "arch/sparc/include/uapi/asm/socket.h": f"{own}#define SO_NEW 0x60\n",
        # takes the generic header in, and changes a few
        "arch/powerpc/include/uapi/asm/socket.h": "#define SO_RCVLOWAT 16\n",
    }
    (lacking,) = find_lacking({GENERIC_SOCKET: SOCKET}, after)
    assert (lacking.constant.name, lacking.architectures) == ("SO_NEW", ("mips",))
    assert find_lacking(after, after) == ()


def test_which_headers_programs_see() -> None:
    for path in (LIMITS, MIPS, GENERIC_SOCKET, "include/linux/socket.h", "include/uapi/a/b.h"):
        assert watched(path)
    for path in ("include/linux/net.h", "net/socket.c", "arch/x86/include/asm/x.h", "x/" + LIMITS):
        assert not watched(path)


def judged(kernel: Path, changes: dict[str, str]) -> Outcome | None:
    """What is said of one commit that adds these lines to these files."""
    for file, text in ((GENERIC_SOCKET, SOCKET), (MIPS, "#define SO_DEBUG 1\n")):
        (kernel / file).parent.mkdir(parents=True, exist_ok=True)
        (kernel / file).write_text(text)
    base = commit(kernel, "headers")
    for file, text in changes.items():
        edit(kernel / file, (kernel / file).read_text(), (kernel / file).read_text() + text)
    commit(kernel, "net: add numbers")
    series = read_range(kernel, f"{base}..HEAD", RUNNER)
    Git(RUNNER, kernel).run("checkout", "-q", "--detach", base)
    applied = apply_series(kernel, series, RUNNER)
    return check_numbers(Git(RUNNER, kernel), applied.base, applied.head, series)


def test_the_outcome_names_both_and_the_patch(kernel: Path) -> None:
    outcome = judged(kernel, {GENERIC_SOCKET: "#define SCM_ZC_NOTIFICATION 78\n"})
    assert outcome is not None
    assert (outcome.subject, outcome.verdict) == (SUBJECT, Verdict.FAIL)
    assert (
        "patch 1/1, include/uapi/asm-generic/socket.h:14: SCM_ZC_NOTIFICATION 78 collides with "
        "SO_DEVMEM_LINEAR 78 (include/uapi/asm-generic/socket.h:6)"
    ) in outcome.reason
    (collision,) = outcome.detail["collisions"]
    assert collision["taken"] == {
        "file": GENERIC_SOCKET,
        "line": 6,
        "name": "SO_DEVMEM_LINEAR",
        "value": "78",
    }
    (warning,) = outcome.detail["warnings"]
    assert "SCM_ZC_NOTIFICATION 78 is missing in mips" in warning["text"]


def test_a_free_number_passes_and_no_number_says_nothing(kernel: Path) -> None:
    free = judged(kernel, {GENERIC_SOCKET: "#define SO_X 79\n", MIPS: "#define SO_X 99\n"})
    assert free is not None
    assert (free.verdict, free.detail["warnings"]) == (Verdict.PASS, [])
    assert free.reason == "no new one is taken already"
    assert judged(kernel, {"net/socket.c": "int new;\n"}) is None
