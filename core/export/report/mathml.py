"""Formulas of the catalogues, which are written in LaTeX, as MathML, which browsers draw by themselves.

It knows the part of LaTeX that our formulas use, and refuses the rest. MathML Core:
https://www.w3.org/TR/mathml-core/
"""

from __future__ import annotations

import re
from collections.abc import Callable

from core.export.report.markup import Markup, element, joined

_TOKEN = re.compile(r"\\[a-zA-Z]+|\\.|\d+(?:\.\d+)?|\s+|.")
_LETTERS = {
    "lambda": "λ", "varepsilon": "ε", "delta": "δ", "eta": "η", "ell": "ℓ", "theta": "θ", "sigma": "σ",
    "nabla": "∇",
    "alpha": "α", "beta": "β", "gamma": "γ", "mu": "μ", "tau": "τ", "rho": "ρ", "phi": "φ", "infty": "∞",
}  # fmt: skip
_SIGNS = {
    "leftarrow": "←", "to": "→", "le": "≤", "ge": "≥", "ne": "≠", "cdot": "⋅", "odot": "⊙", "times": "×",
    "sim": "∼", "mid": "|", "in": "∈", "top": "⊤", "lVert": "‖", "rVert": "‖", "{": "{", "}": "}",
    "lvert": "|", "rvert": "|", "approx": "≈", "pm": "±", "circ": "∘", "ldots": "…",
    "Vert": "‖", "partial": "∂",
}  # fmt: skip
_LARGE = {"sum": "∑", "prod": "∏", "max": "max", "min": "min"}
_NAMES = {"exp": "exp", "ln": "ln", "log": "log", "Pr": "Pr", "arg": "arg"}
_SPACES = {
    ",": "0.17em",
    ";": "0.28em",
    ":": "0.22em",
    " ": "0.3em",
    "quad": "1em",
    "qquad": "2em",
    "!": "0em",
}
_ACCENTS = {"bar": "¯", "tilde": "˜", "hat": "^"}
_SIZES = {"Bigl", "Bigr", "bigl", "bigr", "left", "right"}
_IGNORED = {"textstyle", "displaystyle", "limits"}
_SCRIPT_CAPITALS = {"L": "ℒ"}
_UPRIGHT = ("text", "mathrm", "operatorname")


def math(latex: str) -> Markup:
    """A formula on a line of its own.

    Raises:
        NotImplementedError: it uses LaTeX that is not known here.
    """
    try:
        row = _Reader(_TOKEN.findall(latex)).row(until="")
    except (IndexError, ValueError) as error:
        raise NotImplementedError("a formula ends where more is wanted") from error
    return element("math", element("mrow", *row), display="block")


class _Reader:
    """Reads tokens from the left to the right."""

    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens
        self._at = 0

    def row(self, until: str) -> list[Markup]:
        """All up to the token ``until``, which is read too; empty: to the end."""
        found: list[Markup] = []
        while self._at < len(self._tokens):
            token = self._tokens[self._at]
            if token == until:
                self._at += 1
                return found
            if token.isspace() or token[1:] in _IGNORED:
                self._at += 1
            else:
                found.append(self._scripted())
        if until:
            raise NotImplementedError(f"a formula has no {until!r} where one is wanted")
        return found

    def _scripted(self) -> Markup:
        """An atom with what stands below and above it."""
        large = self._tokens[self._at][1:] in _LARGE
        atom, scripts = self._atom(), {}
        while (sign := self._next_sign()) in ("_", "^"):
            self._at = self._tokens.index(sign, self._at) + 1
            scripts[sign] = self._argument()
        under, over = scripts.get("_"), scripts.get("^")
        if under is not None and over is not None:
            return element("munderover" if large else "msubsup", atom, under, over)
        if under is not None:
            return element("munder" if large else "msub", atom, under)
        if over is not None:
            return element("mover" if large else "msup", atom, over)
        return atom

    def _next_sign(self) -> str:
        return next((token for token in self._tokens[self._at :] if not token.isspace()), "")

    def _argument(self) -> Markup:
        """What a command or a script applies to: a group, or the next atom."""
        while self._at < len(self._tokens) and self._tokens[self._at].isspace():
            self._at += 1
        return self._atom()

    def _atom(self) -> Markup:
        token = self._tokens[self._at]
        self._at += 1
        if token == "{":
            return element("mrow", *self.row(until="}"))
        if token[0] == "\\":
            return self._command(token[1:])
        if token[0].isdigit():
            return element("mn", token)
        if token.isalpha():
            return element("mi", token)
        if token in "}_^&$#%~":
            raise NotImplementedError(f"a formula has {token!r} where none is known")
        return _fence(token) if token in "()[]|" else element("mo", token.replace("-", "−").replace("*", "∗"))

    def _command(self, name: str) -> Markup:
        if name in _LETTERS:
            return element("mi", _LETTERS[name])
        if name in _NAMES:
            return joined([element("mi", _NAMES[name]), element("mspace", width="0.1em")])
        if name in _LARGE:
            return element("mo", _LARGE[name], movablelimits="false")
        if name in _SIGNS:
            return (
                _fence(_SIGNS[name])
                if _SIGNS[name] in "‖|{}" and name != "mid"
                else element("mo", _SIGNS[name])
            )
        if name in _SPACES:
            return element("mspace", width=_SPACES[name])
        if name in _SIZES:
            return self._sized()
        made = self._made.get(name)
        if made is None:
            raise NotImplementedError(f"\\{name} is not known in formulas here")
        return made(self, name)

    def _sized(self) -> Markup:
        """A bracket that is as high as what it holds."""
        self._at += self._tokens[self._at].isspace()
        token = self._tokens[self._at]
        self._at += 1
        sign = _SIGNS.get(token[1:], token[1:]) if token[0] == "\\" else token
        return element("mo", sign, stretchy="true") if sign != "." else Markup("")

    def _fraction(self, name: str) -> Markup:
        above, below = self._argument(), self._argument()
        parts = element("mfrac", above, below)
        return element("mstyle", parts, displaystyle="false") if name == "tfrac" else parts

    def _root(self, _name: str) -> Markup:
        return element("msqrt", self._argument())

    def _accented(self, name: str) -> Markup:
        return element("mover", self._argument(), element("mo", _ACCENTS[name]), accent="true")

    def _upright(self, name: str) -> Markup:
        """Words, with their spaces, or a name such as ``CE``."""
        words = self._letters()
        if name == "text":
            return element("mtext", words.replace(" ", "\N{NO-BREAK SPACE}"))
        return element("mi", words, mathvariant="normal")

    def _script(self, _name: str) -> Markup:
        letters = self._letters()
        return element("mi", "".join(_SCRIPT_CAPITALS[letter] for letter in letters))

    def _letters(self) -> str:
        """A group as it is written."""
        if self._tokens[self._at] != "{":
            raise NotImplementedError("a formula has words without braces")
        end = self._tokens.index("}", self._at)
        words = "".join(self._tokens[self._at + 1 : end])
        self._at = end + 1
        return words

    _made: dict[str, Callable[[_Reader, str], Markup]] = {  # noqa: RUF012
        "frac": _fraction,
        "tfrac": _fraction,
        "sqrt": _root,
        **dict.fromkeys(_ACCENTS, _accented),
        **dict.fromkeys(_UPRIGHT, _upright),
        "mathcal": _script,
    }


def _fence(sign: str) -> Markup:
    """A bracket that keeps its own height."""
    return element("mo", sign, stretchy="false")
