"""Telnet's negotiation: what is agreed, what is refused, and no word more than the far end's words need."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.machines.consoles.telnet import DO, DONT, IAC, SB, SE, WILL, WONT, Negotiation

BINARY, ECHO, SUPPRESS_GO_AHEAD, COM_PORT = 0, 1, 3, 44
NOP = 241


def command(verb: int, option: int) -> bytes:
    return bytes((IAC, verb, option))


def test_the_first_words_offer_binary_and_no_go_ahead_in_both_directions() -> None:
    assert Negotiation.opening() == b"".join(
        command(verb, option) for option in (BINARY, SUPPRESS_GO_AHEAD) for verb in (WILL, DO)
    )


def test_answers_to_the_own_offers_are_not_answered() -> None:
    telnet = Negotiation()
    agreed = b"".join(command(verb, option) for option in (BINARY, SUPPRESS_GO_AHEAD) for verb in (WILL, DO))
    assert telnet.decode(agreed) == (b"", b"")
    assert telnet.decode(agreed) == (b"", b""), "nor is what is so already"


def test_all_other_options_are_refused_and_their_refusal_is_not_answered() -> None:
    telnet = Negotiation()
    assert telnet.decode(command(WILL, ECHO)) == (b"", command(DONT, ECHO))
    assert telnet.decode(command(DO, COM_PORT)) == (b"", command(WONT, COM_PORT))
    assert telnet.decode(command(WONT, ECHO) + command(DONT, COM_PORT)) == (b"", b"")


def test_an_option_that_is_taken_back_is_let_go_and_agreed_to_again() -> None:
    telnet = Negotiation()
    telnet.decode(command(DO, BINARY))
    assert telnet.decode(command(DONT, BINARY)) == (b"", command(WONT, BINARY))
    assert telnet.decode(command(DONT, BINARY)) == (b"", b"")
    assert telnet.decode(command(DO, BINARY)) == (b"", command(WILL, BINARY))


@pytest.mark.parametrize("size", (1, 2, 3, 100))
def test_commands_are_taken_out_wherever_they_are_cut(size: int) -> None:
    telnet = Negotiation()
    arriving = (
        b"a\xff\xffb"
        + bytes((IAC, NOP))
        + command(WILL, ECHO)
        + bytes((IAC, SB, COM_PORT, 1, IAC, IAC, 2, IAC, SE))
        + b"c\r\0d\r\ne\0"
    )
    decoded = [telnet.decode(arriving[start : start + size]) for start in range(0, len(arriving), size)]
    assert b"".join(plain for plain, _ in decoded) == b"a\xffbc\rd\r\ne\0"
    assert b"".join(answer for _, answer in decoded) == command(DONT, ECHO)


def test_carriage_returns_alone_have_a_nul_unless_both_agreed_on_binary() -> None:
    telnet = Negotiation()
    assert telnet.encode(b"ports\r\xff\r\n") == b"ports\r\0\xff\xff\r\n"
    telnet.decode(command(DO, BINARY) + command(WILL, BINARY))
    assert telnet.encode(b"ports\r\xff\r\n") == b"ports\r\xff\xff\r\n"
    assert telnet.decode(b"\r\0") == (b"\r\0", b""), "binary is binary"


@given(
    pieces=st.lists(st.binary(max_size=8) | st.sampled_from([b"\r", b"\r\n", b"\r\0", b"\xff"])), binary=st.booleans()
)
def test_what_one_side_writes_the_other_reads(pieces: list[bytes], binary: bool) -> None:
    near, far = Negotiation(), Negotiation()
    if binary:
        near.decode(command(DO, BINARY))
        far.decode(command(WILL, BINARY))
    read = b"".join(far.decode(near.encode(piece))[0] for piece in pieces)
    assert read == b"".join(pieces)
