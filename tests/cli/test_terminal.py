"""Where a person reads there are columns and colours; where a program reads there are tabs."""

import io

import pytest
from kerasviz_cli.terminal import Terminal


class Screen(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self):
        return True


def test_a_table_has_columns_for_a_person(monkeypatch):
    screen = Screen()
    monkeypatch.setattr("sys.stdout", screen)
    monkeypatch.setenv("TERM", "dumb")
    Terminal(plain=True).table(("name", "count"), [("[bold]", "7"), ("a", "12345")], numbers=("count",))
    assert [line.rstrip() for line in screen.getvalue().splitlines()] == [
        "name    count",
        "[bold]      7",
        "a       12345",
    ]


def test_a_stranger_s_text_steers_no_terminal(monkeypatch):
    out, err = Screen(), Screen()
    monkeypatch.setattr("sys.stdout", out)
    monkeypatch.setattr("sys.stderr", err)
    monkeypatch.setenv("TERM", "dumb")
    terminal = Terminal(plain=True)
    terminal.answer("a\x1b]0;title\x07b\tc")
    terminal.table(("name",), [("a\x1b[2Jb",)])
    terminal.error("a\x9b2Jb\r")
    assert out.getvalue().split("\n")[0] == "a�]0;title�b\tc"
    assert not set("\x1b\x07\x9b\r") & set(out.getvalue() + err.getvalue())


def test_a_table_has_tabs_for_a_program(capsys):
    Terminal().table(("name", "count"), [("a", "7")])
    assert capsys.readouterr().out == "name\tcount\na\t7\n"


@pytest.mark.parametrize(("plain", "variable", "coloured"), [(False, "", True), (True, "", False), (False, "1", False)])
def test_colours_stay_away_when_they_are_not_wanted(monkeypatch, plain, variable, coloured):
    screen = Screen()
    monkeypatch.setattr("sys.stderr", screen)
    monkeypatch.setenv("NO_COLOR", variable)
    Terminal(plain=plain).error("broken")
    assert ("\x1b[" in screen.getvalue()) is coloured
    assert screen.getvalue().endswith(" broken\n")


def test_quiet_keeps_warnings_back_and_never_errors(capsys):
    terminal = Terminal(quiet=True)
    terminal.warn("odd")
    terminal.error("broken")
    assert capsys.readouterr().err == "Error: broken\n"


def test_a_name_that_is_not_utf8_arrives_byte_for_byte(capfdbinary):
    Terminal().answer("photo\udce9.png")
    assert capfdbinary.readouterr().out == b"photo\xe9.png\n"
