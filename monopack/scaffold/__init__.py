"""The room that begins a project: what it holds, what to ask about it, and the files that a first build needs.

`look` reads, `questions` and `propose` think, `write` creates files and never changes one that is there.
"""

from __future__ import annotations

from monopack.scaffold.looking import look
from monopack.scaffold.proposing import Proposal, Question, propose, questions
from monopack.scaffold.values import Findings, Handler, Layout
from monopack.scaffold.writing import Written, write

__all__ = ["Findings", "Handler", "Layout", "Proposal", "Question", "Written", "look", "propose", "questions", "write"]
