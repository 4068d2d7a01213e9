"""The README as a document, and its code blocks."""

from __future__ import annotations

from dataclasses import dataclass

from docutils import nodes
from docutils.core import publish_doctree

from tests.conftest import ROOT

README = publish_doctree((ROOT / "README.rst").read_text(), settings_overrides={"halt_level": 2})


@dataclass(frozen=True)
class Block:
    """A code block."""

    language: str
    text: str


def blocks(section: str = "") -> list[Block]:
    """Returns the code blocks of the README, or of the section with this title in lower case, in their order."""
    root = next(part for part in README.findall(nodes.section) if section in part["names"]) if section else README
    found = [node for node in root.findall(nodes.literal_block) if len(node["classes"]) > 1]
    return [Block(node["classes"][1], node.astext()) for node in found]
