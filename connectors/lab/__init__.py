"""The lab: what every connector must hold to, tried on its own folder; gives a card with a score."""

from connectors.lab.card import Card, figures, render, write_card
from connectors.lab.suite import check, check_subject

__all__ = ["Card", "check", "check_subject", "figures", "render", "write_card"]
